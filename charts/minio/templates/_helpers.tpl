{{/* Secret with both keys. */}}
{{- define "k8s-ee.minio.secret" -}}
{{- .Values.auth.existingSecret | default (printf "%s-secret" (include "k8s-ee.fullname" .)) -}}
{{- end }}

{{/* Host that clients connect to: the name that the MinIO operator gives the Service of a tenant. */}}
{{- define "k8s-ee.minio.host" -}}
{{- include "k8s-ee.fullname" . -}}-hl
{{- end }}

{{/* Variables of a service that uses the store, as a list for `env`, in both usual spellings. */}}
{{- define "k8s-ee.minio.env" -}}
{{- $host := include "k8s-ee.minio.host" . -}}
{{- $secret := include "k8s-ee.minio.secret" . -}}
- name: MINIO_ENDPOINT
  value: {{ $host }}
- name: MINIO_PORT
  value: "9000"
{{ include "k8s-ee.secretVariable" (dict "name" "MINIO_ACCESS_KEY" "secret" $secret "key" "accesskey") }}
{{ include "k8s-ee.secretVariable" (dict "name" "MINIO_SECRET_KEY" "secret" $secret "key" "secretkey") }}
- name: MINIO_BUCKET
  value: {{ .Values.bucket }}
- name: S3_ENDPOINT
  value: http://{{ $host }}:9000
{{ include "k8s-ee.secretVariable" (dict "name" "S3_ACCESS_KEY" "secret" $secret "key" "accesskey") }}
{{ include "k8s-ee.secretVariable" (dict "name" "S3_SECRET_KEY" "secret" $secret "key" "secretkey") }}
- name: S3_BUCKET
  value: {{ .Values.bucket }}
{{- end }}
