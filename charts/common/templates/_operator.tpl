{{/*
Metadata of a custom resource for an operator: only labels that stay the same from commit to commit, because operators may
copy them to the pods they make, which a change of any would restart. Takes the chart's own context.
*/}}
{{- define "k8s-ee.operatorMetadata" -}}
{{- $environment := include "k8s-ee.environment" . | fromJson -}}
name: {{ include "k8s-ee.fullname" . }}
labels:
  {{- include "k8s-ee.databasePodLabels" . | nindent 2 }}
{{- with $environment.repository }}
annotations: {{ include "k8s-ee.json" (dict "k8s-ee/repository" .) }}
{{- end }}
{{- end }}

{{/* What becomes of `priorityClassName`: the chart's own, or the one for all. */}}
{{- define "k8s-ee.priorityClassName" -}}
{{- .Values.priorityClassName | default (.Values.global | default dict).priorityClassName | default "" -}}
{{- end }}

{{/* What becomes of `imagePullSecrets`, as a list in JSON: the chart's own, or those for all. */}}
{{- define "k8s-ee.imagePullSecrets" -}}
{{- $secrets := list -}}
{{- range .Values.imagePullSecrets | default (.Values.global | default dict).imagePullSecrets -}}
{{- $secrets = append $secrets (dict "name" .) -}}
{{- end -}}
{{- toJson $secrets -}}
{{- end }}
