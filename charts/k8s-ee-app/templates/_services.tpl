{{/*
The services with every default filled in, checked, as JSON: `include "k8s-ee-app.services" . | fromJson`.
*/}}
{{- define "k8s-ee-app.services" -}}
{{- $services := dict -}}
{{- range $name, $service := .Values.services -}}
{{- $service = mergeOverwrite (deepCopy $.Values.serviceDefaults) ($service | default dict) -}}
{{- $_ := set $service "version" ($service.version | default $.Values.environment.version) -}}
{{- $_ := set $services $name $service -}}
{{- end -}}
{{- include "k8s-ee-app.validate" (dict "root" . "services" $services) -}}
{{- toJson $services -}}
{{- end }}

{{/* Labels of a service's pods. Takes a dict: root, name. */}}
{{- define "k8s-ee-app.podLabels" -}}
{{- include "k8s-ee.podLabels" (dict "root" .root "component" .name "environment" .root.Values.environment) -}}
{{- end }}

{{/*
Metadata of a service's object. Takes a dict: root, name, service; and optionally objectName, labels and annotations (maps
of more).
*/}}
{{- define "k8s-ee-app.metadata" -}}
name: {{ .objectName | default .name }}
labels:
  {{- include "k8s-ee.labels" (dict "root" .root "component" .name "version" .service.version "environment" .root.Values.environment) | nindent 2 }}
  {{- range $key, $value := .labels }}
  {{ $key }}: {{ $value }}
  {{- end }}
{{- $annotations := .annotations | default dict -}}
{{- with .root.Values.environment.repository -}}
{{- $annotations = merge (dict "k8s-ee/repository" .) $annotations -}}
{{- end -}}
{{- with $annotations }}
annotations: {{ include "k8s-ee.json" . }}
{{- end }}
{{- end }}

{{/* The directories that a service may write to, beside /tmp, each once, as JSON. Takes the service. */}}
{{- define "k8s-ee-app.writableDirs" -}}
{{- $directories := list -}}
{{- range .writableDirs -}}
{{- $directories = append $directories (clean .) -}}
{{- end -}}
{{- without (uniq $directories) "/tmp" | toJson -}}
{{- end }}
