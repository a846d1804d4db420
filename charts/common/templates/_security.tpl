{{/* What Pod Security `restricted` asks of a pod. Takes a dict: uid, gid. */}}
{{- define "k8s-ee.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: {{ .uid }}
runAsGroup: {{ .gid }}
fsGroup: {{ .gid }}
# Volumes that already have the right owner are not walked file by file at every start.
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{/* What Pod Security `restricted` asks of a container, and a read-only root file system. */}}
{{- define "k8s-ee.containerSecurityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop:
    - ALL
{{- end }}

{{/*
Settings of the pod spec that every workload shares. Takes the chart's own context. What the chart's values leave empty
comes from `global`, which is how one setting reaches the services and all databases.
*/}}
{{- define "k8s-ee.podSettings" -}}
{{- $global := .Values.global | default dict -}}
automountServiceAccountToken: false
{{- with .Values.serviceAccountName | default $global.serviceAccountName }}
serviceAccountName: {{ . }}
{{- end }}
# Variables such as APP_PORT, which Kubernetes makes of every Service of the namespace, would collide with the user's.
enableServiceLinks: false
{{- with .Values.priorityClassName | default $global.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.imagePullSecrets | default $global.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end }}
