{{/* Secret with the password. */}}
{{- define "k8s-ee.mongodb.secret" -}}
{{- .Values.auth.existingSecret | default (printf "%s-password" (include "k8s-ee.fullname" .)) -}}
{{- end }}

{{/* Secret with what a client needs: the name is the one that the MongoDB operator makes. */}}
{{- define "k8s-ee.mongodb.connectionSecret" -}}
{{- .Values.auth.existingConnectionSecret | default (include "k8s-ee.mongodb.ownConnectionSecret" .) -}}
{{- end }}

{{- define "k8s-ee.mongodb.ownConnectionSecret" -}}
{{- printf "%s-admin-%s" (include "k8s-ee.fullname" .) (.Values.username | lower | replace "_" "-" | trimAll "-") -}}
{{- end }}

{{/* Service of the replica set. */}}
{{- define "k8s-ee.mongodb.service" -}}
{{- include "k8s-ee.fullname" . -}}-svc
{{- end }}

{{/*
Host name of the one member. The replica set hands it out to clients and keeps it with the data, so it must not contain
the namespace: data that are copied to another environment would name the wrong one.
*/}}
{{- define "k8s-ee.mongodb.member" -}}
{{- printf "%s-0.%s" (include "k8s-ee.fullname" .) (include "k8s-ee.mongodb.service" .) -}}
{{- end }}

{{/* Variables of a service that uses the database, as a list for `env`. */}}
{{- define "k8s-ee.mongodb.env" -}}
{{- $secret := include "k8s-ee.mongodb.connectionSecret" . -}}
{{ include "k8s-ee.secretVariable" (dict "name" "MONGODB_URL" "secret" $secret "key" "connectionString.standard") }}
{{ include "k8s-ee.secretVariable" (dict "name" "MONGODB_URI" "secret" $secret "key" "connectionString.standard") }}
- name: MONGODB_DATABASE
  value: {{ .Values.database }}
{{- end }}

{{/* Metadata of the account under which the operator's pods run, and of its rights. */}}
{{- define "k8s-ee.mongodb.agentMetadata" -}}
name: mongodb-database
labels:
  {{- include "k8s-ee.databasePodLabels" . | nindent 2 }}
{{- end }}
