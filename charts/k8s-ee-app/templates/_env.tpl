{{/*
Name of the ConfigMap with a service's variables. It changes with them: a pod that starts during a change of version reads
the variables of its own version, and new variables start new pods.
*/}}
{{- define "k8s-ee-app.variablesName" -}}
{{- printf "%s-env-%s" .name (include "k8s-ee-app.variables" . | sha256sum | trunc 8) -}}
{{- end -}}

{{/*
Variables that a service gets through its ConfigMap, as JSON: those of the environment, and the service's own `env`. A
variable of the environment without a value is left out. Takes a dict: root, service.
*/}}
{{- define "k8s-ee-app.variables" -}}
{{- $environment := .root.Values.environment -}}
{{- $variables := dict -}}
{{- with .service.port -}}
{{- $_ := set $variables "PORT" (. | int | toString) -}}
{{- end -}}
{{- with $environment.prNumber -}}
{{- $_ := set $variables "PR_NUMBER" (include "k8s-ee.number" .) -}}
{{- end -}}
{{- with $environment.commitSha -}}
{{- $_ := set $variables "COMMIT_SHA" . -}}
{{- end -}}
{{- with $environment.branch -}}
{{- $_ := set $variables "BRANCH_NAME" (include "k8s-ee.labelValue" .) -}}
{{- end -}}
{{- with .service.version -}}
{{- $_ := set $variables "APP_VERSION" . -}}
{{- end -}}
{{- with $environment.url -}}
{{- $_ := set $variables "PREVIEW_URL" . -}}
{{- end -}}
{{- include "k8s-ee.json" (merge $variables .service.env) -}}
{{- end }}

{{/*
Variables of the databases that a service uses, as a list for `env` in JSON. Each database's chart says what it gives; the
kind of SQL is MariaDB where there are both. Takes a dict: root, service.
*/}}
{{- define "k8s-ee-app.databaseVariables" -}}
{{- $variables := list -}}
{{- range .service.databases -}}
{{- $variables = concat $variables (include (printf "k8s-ee.%s.env" .) (get $.root.Subcharts .) | fromYamlArray) -}}
{{- end -}}
{{- if has "mariadb" .service.databases -}}
{{- $variables = append $variables (dict "name" "DATABASE_TYPE" "value" "mariadb") -}}
{{- else if has "postgresql" .service.databases -}}
{{- $variables = append $variables (dict "name" "DATABASE_TYPE" "value" "postgresql") -}}
{{- end -}}
{{- toJson $variables -}}
{{- end }}

{{/* Names of the variables that the environment sets, which a service's `env` may not set, as JSON. Takes a dict: root, service. */}}
{{- define "k8s-ee-app.reserved" -}}
{{- $names := list "PORT" "PR_NUMBER" "COMMIT_SHA" "BRANCH_NAME" "APP_VERSION" "PREVIEW_URL" -}}
{{- range include "k8s-ee-app.databaseVariables" . | fromJsonArray -}}
{{- $names = append $names .name -}}
{{- end -}}
{{- toJson $names -}}
{{- end }}
