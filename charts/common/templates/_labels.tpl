{{/*
Labels of one component. Each helper takes a dict:
  root         the chart's own context
  component    name of the service or database
  version      version of what runs; may be empty
  environment  the map `environment` of the values; may be empty
*/}}

{{/* Labels for the metadata of an object. */}}
{{- define "k8s-ee.labels" -}}
{{- $environment := .environment | default dict -}}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- with .version }}
app.kubernetes.io/version: {{ include "k8s-ee.labelValue" . | quote }}
{{- end }}
{{ include "k8s-ee.podLabels" . }}
{{- with $environment.commitSha }}
k8s-ee/commit-sha: {{ include "k8s-ee.labelValue" . | quote }}
{{- end }}
{{- with $environment.branch }}
k8s-ee/branch: {{ include "k8s-ee.labelValue" . | quote }}
{{- end }}
{{- end }}

{{/*
Labels for a pod template: those that stay the same from commit to commit and from chart to chart, because a change of
any of them restarts the pods.
*/}}
{{- define "k8s-ee.podLabels" -}}
{{- $environment := .environment | default dict -}}
app.kubernetes.io/name: {{ .component }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
{{- with $environment.projectId }}
app.kubernetes.io/part-of: {{ . }}
{{- end }}
{{ include "k8s-ee.selectorLabels" . }}
{{- with $environment.projectId }}
k8s-ee/project-id: {{ . }}
{{- end }}
{{- with $environment.prNumber }}
k8s-ee/pr-number: {{ include "k8s-ee.number" . | quote }}
{{- end }}
{{- with $environment.name }}
k8s-ee/environment: {{ include "k8s-ee.labelValue" . | quote }}
{{- end }}
{{- end }}

{{/* The label that selects the component's pods. Selectors are immutable, so it is the only one. */}}
{{- define "k8s-ee.selectorLabels" -}}
k8s-ee/component: {{ .component }}
{{- end }}

{{/*
Turns any text into a label value: other characters become `-`, the ends are letters or digits, at most 63 characters.
Text of which nothing remains becomes `unknown`.
*/}}
{{- define "k8s-ee.labelValue" -}}
{{- $value := regexReplaceAll "[^A-Za-z0-9._-]" (toString .) "-" -}}
{{- $value = regexReplaceAll "--+" $value "-" -}}
{{- $value = regexReplaceAll "^[^A-Za-z0-9]+" $value "" | trunc 63 -}}
{{- regexReplaceAll "[^A-Za-z0-9]+$" $value "" | default "unknown" -}}
{{- end }}

{{/* A whole number as digits: Helm reads numbers of a file as floats, which print large ones with an exponent. */}}
{{- define "k8s-ee.number" -}}
{{- if kindIs "string" . }}{{ . }}{{ else }}{{ int64 . }}{{ end -}}
{{- end }}
