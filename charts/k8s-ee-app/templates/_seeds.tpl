{{/*
The seeds with every default filled in, checked, as JSON: `include "k8s-ee-app.seeds" . | fromJson`.
*/}}
{{- define "k8s-ee-app.seeds" -}}
{{- $seeds := dict -}}
{{- range $name, $seed := .Values.seeds -}}
{{- $seed = mergeOverwrite (deepCopy $.Values.seedDefaults) ($seed | default dict) -}}
{{- $_ := set $seed "version" ($seed.version | default $.Values.environment.version) -}}
{{- $_ := set $seeds $name $seed -}}
{{- end -}}
{{- include "k8s-ee-app.validateSeeds" (dict "root" . "seeds" $seeds) -}}
{{- toJson $seeds -}}
{{- end }}

{{/*
Name of the ConfigMap with a seed's file or variables. It changes with them, so that a Job reads those it was made for.
Takes a dict: root, name, service (the seed).
*/}}
{{- define "k8s-ee-app.seedDataName" -}}
{{- $content := print .service.content .service.contentBase64 -}}
{{- if not .service.file -}}
{{- $content = include "k8s-ee-app.variables" . -}}
{{- end -}}
{{- printf "%s-seed-%s" .name (sha256sum $content | trunc 8) -}}
{{- end }}

{{/* How the names of the files end that each database reads, as a pattern. */}}
{{- define "k8s-ee-app.seedFiles" -}}
{{- dict "postgresql" "\\.(sql|sql\\.gz|dump|pgdump)$" "mariadb" "\\.(sql|sql\\.gz)$" "mongodb" "\\.(js|archive|archive\\.gz)$" "redis" "\\.redis$" "minio" "\\.(tar|tar\\.gz)$" | toJson -}}
{{- end }}

{{/*
Image and user of the container that reads a seed's file, as JSON: those of the database itself, whose image has the client
that fits it. Takes a dict: root, service (the seed).
*/}}
{{- define "k8s-ee-app.seedClient" -}}
{{- $database := first .service.databases -}}
{{- $values := (get .root.Subcharts $database).Values -}}
{{- $images := dict "postgresql" "postgres:%s" "mariadb" "mariadb:%s" "mongodb" "mongo:%s" "redis" "redis:%s-alpine" "minio" "quay.io/minio/minio:%s" -}}
{{- $image := $values.image | default (printf (get $images $database) $values.version) -}}
{{- $uid := ternary 1000 999 (eq $database "minio") -}}
{{- dict "image" $image "imagePullPolicy" $values.imagePullPolicy "uid" $uid "gid" $uid | toJson -}}
{{- end }}
