{{/* Secret with both passwords and the URL. */}}
{{- define "k8s-ee.mariadb.secret" -}}
{{- .Values.auth.existingSecret | default (printf "%s-secret" (include "k8s-ee.fullname" .)) -}}
{{- end }}

{{/* Variables of a service that uses the database, as a list for `env`. */}}
{{- define "k8s-ee.mariadb.env" -}}
{{- $secret := include "k8s-ee.mariadb.secret" . -}}
- name: MYSQL_HOST
  value: {{ include "k8s-ee.fullname" . }}
- name: MYSQL_PORT
  value: "3306"
- name: MYSQL_DATABASE
  value: {{ .Values.database }}
- name: MYSQL_USER
  value: {{ .Values.username }}
{{ include "k8s-ee.secretVariable" (dict "name" "MYSQL_PASSWORD" "secret" $secret "key" "user-password") }}
{{ include "k8s-ee.secretVariable" (dict "name" "MYSQL_URL" "secret" $secret "key" "connection-url") }}
{{- end }}

{{/*
A command that asks the server something as the application's user. Over the network: while the volume is prepared, the
server listens on the socket only. Takes the client and what it is to do.
*/}}
{{- define "k8s-ee.mariadb.ask" -}}
{{- $client := "--no-defaults --skip-ssl --connect-timeout=2 -h 127.0.0.1 -u \"$MARIADB_USER\"" -}}
{{- list "sh" "-c" (printf "MYSQL_PWD=\"$MARIADB_PASSWORD\" exec %s %s %s" .program $client .question) | include "k8s-ee.json" -}}
{{- end }}
