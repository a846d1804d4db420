{{/* Secret with the password. */}}
{{- define "k8s-ee.redis.secret" -}}
{{- .Values.auth.existingSecret | default (printf "%s-secret" (include "k8s-ee.fullname" .)) -}}
{{- end }}

{{/* Variables of a service that uses the database, as a list for `env`. */}}
{{- define "k8s-ee.redis.env" -}}
{{- $host := include "k8s-ee.fullname" . -}}
- name: REDIS_HOST
  value: {{ $host }}
- name: REDIS_PORT
  value: "6379"
{{- if .Values.auth.enabled }}
{{ include "k8s-ee.secretVariable" (dict "name" "REDIS_PASSWORD" "secret" (include "k8s-ee.redis.secret" .) "key" "password") }}
{{- else }}
- name: REDIS_URL
  value: redis://{{ $host }}:6379
{{- end }}
{{- end }}

{{/* The command that asks whether Redis answers; redis-cli succeeds with any answer, so the answer is looked at. */}}
{{- define "k8s-ee.redis.ping" -}}
{{- list "sh" "-c" "redis-cli ping | grep -qx PONG" | toJson -}}
{{- end }}
