{{/*
Any value as JSON that a YAML parser reads back byte for byte. `toYaml` loses newlines at the end of texts, and YAML takes
the control characters U+007F to U+009F as errors or as line breaks where JSON allows them; so those are escaped.
*/}}
{{- define "k8s-ee.json" -}}
{{- $json := toJson . -}}
{{- range $code := untilStep 127 160 1 -}}
{{- $json = $json | replace (printf "%c" $code) (printf "\\u%04x" $code) -}}
{{- end -}}
{{- $json -}}
{{- end }}
