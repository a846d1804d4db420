{{/* Secret with everything that a client needs. */}}
{{- define "k8s-ee.postgresql.secret" -}}
{{- .Values.auth.existingSecret | default (printf "%s-app" (include "k8s-ee.fullname" .)) -}}
{{- end }}

{{/* Host that clients connect to: the name that CloudNativePG gives the Service of the primary. */}}
{{- define "k8s-ee.postgresql.host" -}}
{{- include "k8s-ee.fullname" . -}}-rw
{{- end }}

{{/* Variables of a service that uses the database, as a list for `env`. */}}
{{- define "k8s-ee.postgresql.env" -}}
{{- $secret := include "k8s-ee.postgresql.secret" . -}}
{{ include "k8s-ee.secretVariable" (dict "name" "DATABASE_URL" "secret" $secret "key" "uri") }}
{{ include "k8s-ee.secretVariable" (dict "name" "PGHOST" "secret" $secret "key" "host") }}
{{ include "k8s-ee.secretVariable" (dict "name" "PGPORT" "secret" $secret "key" "port") }}
{{ include "k8s-ee.secretVariable" (dict "name" "PGDATABASE" "secret" $secret "key" "dbname") }}
{{ include "k8s-ee.secretVariable" (dict "name" "PGUSER" "secret" $secret "key" "user") }}
{{ include "k8s-ee.secretVariable" (dict "name" "PGPASSWORD" "secret" $secret "key" "password") }}
{{- end }}

{{/* The file pg_hba.conf. The first line that fits decides. */}}
{{- define "k8s-ee.postgresql.hba" -}}
# The socket is inside the pod. Over the network everyone needs a password, and the superuser has none.
local all all trust
{{- range .Values.postgresql.pg_hba }}
{{ . }}
{{- end }}
host all all all scram-sha-256
{{- end }}

{{/*
Statements for CloudNativePG as a list in JSON. It hands them to a container as arguments, in which Kubernetes replaces
$(VARIABLE) and makes one dollar of two; so each is doubled. Takes a list.
*/}}
{{- define "k8s-ee.postgresql.arguments" -}}
{{- $statements := list -}}
{{- range . -}}
{{- $statements = append $statements (replace "$" "$$" .) -}}
{{- end -}}
{{- include "k8s-ee.json" $statements -}}
{{- end }}
