{{- /* Where k8s-ee looks for its settings. */}}
{{- define "platform.namespace" -}}
k8s-ee-system
{{- end }}

{{- define "platform.labels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- /* The accounts that deploy, and that of the CronJob, which removes what they have made: a JSON list. */}}
{{- define "platform.accounts" -}}
{{- $accounts := .Values.deployers }}
{{- if .Values.sweep.enabled }}
  {{- $accounts = append $accounts (dict "name" "k8s-ee-sweep" "named" true) }}
{{- end }}
{{- toJson $accounts }}
{{- end }}

{{- /* Who an account is to RBAC: a JSON list. */}}
{{- define "platform.subjects" -}}
{{- $own := dict "kind" "ServiceAccount" "name" .name "namespace" (include "platform.namespace" .) }}
{{- .subjects | default (list $own) | toJson }}
{{- end }}

{{- /* All accounts as the settings have them: a JSON list of subjects, each with its projects. */}}
{{- define "platform.deployers" -}}
{{- $all := list }}
{{- range include "platform.accounts" . | fromJsonArray }}
  {{- $projects := .projects | default list }}
  {{- range include "platform.subjects" . | fromJsonArray }}
    {{- $all = append $all (merge (dict "projects" $projects) .) }}
  {{- end }}
{{- end }}
{{- toJson $all }}
{{- end }}

{{- /* The subjects of a binding. */}}
{{- define "platform.bound" -}}
{{- range . }}
- kind: {{ .kind }}
  name: {{ .name | quote }}
  {{- if eq .kind "ServiceAccount" }}
  namespace: {{ .namespace }}
  {{- else }}
  apiGroup: rbac.authorization.k8s.io
  {{- end }}
{{- end }}
{{- end }}

{{- /* A CEL expression: whether a request is one of this account's. */}}
{{- define "platform.isByAccount" -}}
{{- $ways := list }}
{{- range include "platform.subjects" . | fromJsonArray }}
  {{- if eq .kind "Group" }}
    {{- $ways = append $ways (printf "%s in request.userInfo.groups" (toJson .name)) }}
  {{- else if eq .kind "User" }}
    {{- $ways = append $ways (printf "request.userInfo.username == %s" (toJson .name)) }}
  {{- else }}
    {{- $user := printf "system:serviceaccount:%s:%s" .namespace .name }}
    {{- $ways = append $ways (printf "request.userInfo.username == %s" (toJson $user)) }}
  {{- end }}
{{- end }}
{{- join " || " $ways }}
{{- end }}

{{- /* A CEL expression: whether a subject of a binding is an account that deploys environments of the project. */}}
{{- define "platform.isDeployer" -}}
{{- $ways := list }}
{{- range include "platform.deployers" . | fromJsonArray }}
  {{- $way := printf "subject.kind == %s && subject.name == %s" (toJson .kind) (toJson .name) }}
  {{- if .namespace }}
    {{- $way = printf "%s && subject.?namespace.orValue('') == %s" $way (toJson .namespace) }}
  {{- end }}
  {{- if .projects }}
    {{- $way = printf "%s && variables.project in %s" $way (toJson .projects) }}
  {{- end }}
  {{- $ways = append $ways (printf "(%s)" $way) }}
{{- end }}
{{- join " || " $ways }}
{{- end }}

{{- /* A CEL expression: whether labels, which it is given the name of, are those of an environment. */}}
{{- define "platform.isEnvironment" -}}
{{ . }}[?'k8s-ee/type'].orValue('') == 'ephemeral' &&
{{ . }}[?'app.kubernetes.io/managed-by'].orValue('') in ['github-actions', 'k8s-ee']
{{- end }}
