{{/*
Stops with a message that names the service and the value to set where the schema cannot say it, or could only say it as
a pattern. Takes a dict: root, services.
*/}}
{{- define "k8s-ee-app.validate" -}}
{{- $hosts := dict -}}
{{- if and .root.Values.wait.enabled (not .root.Values.wait.image) -}}
{{- fail "nothing to wait with: set wait.image to the image of k8s-ee, or wait.enabled=false" -}}
{{- end -}}
{{- range $name, $service := .services -}}

{{- if not $service.image -}}
{{- fail (printf "service %q has no image: set services.%s.image to a reference with tag or digest, such as ghcr.io/acme/shop:1.2" $name $name) -}}
{{- end -}}

{{- range $database, $chart := omit $.root.Subcharts "common" -}}
{{- $full := include "k8s-ee.fullname" $chart -}}
{{- if has $name (list $database $full (print $full "-rw") (print $full "-svc") (print $full "-hl")) -}}
{{- fail (printf "service %q has the name of objects of the database %s: rename services.%s" $name $database $name) -}}
{{- end -}}
{{- end -}}

{{- range $service.databases -}}
{{- if not (hasKey $.root.Subcharts .) -}}
{{- fail (printf "service %q uses the database %s, which there is not: set %s.enabled=true, or remove it from services.%s.databases" $name . . $name) -}}
{{- end -}}
{{- end -}}

{{- range include "k8s-ee-app.reserved" (dict "root" $.root "service" $service) | fromJsonArray -}}
{{- if hasKey $service.env . -}}
{{- fail (printf "service %q: the variable %s is set by the environment: remove services.%s.env.%s" $name . $name .) -}}
{{- end -}}
{{- end -}}

{{- if $service.ingress.enabled -}}
{{- $host := $service.ingress.host -}}
{{- if not $host -}}
{{- fail (printf "service %q has an Ingress without a host: set services.%s.ingress.host" $name $name) -}}
{{- end -}}
{{- if hasKey $hosts $host -}}
{{- fail (printf "services %q and %q have the same host %s: change services.%s.ingress.host" (get $hosts $host) $name $host $name) -}}
{{- end -}}
{{- $_ := set $hosts $host $name -}}
{{- end -}}

{{- if and $service.metrics.enabled (regexMatch "^0*[0-9]s$" $service.metrics.interval) -}}
{{- fail (printf "service %q: a scrape may take 10s, so %s is too short: raise services.%s.metrics.interval" $name $service.metrics.interval $name) -}}
{{- end -}}

{{- with $service.autoscaling -}}
{{- if not .maxReplicas -}}
{{- fail (printf "service %q is autoscaled without an upper bound: set services.%s.autoscaling.maxReplicas" $name $name) -}}
{{- end -}}
{{- $fewest := .minReplicas | default $service.replicas | int -}}
{{- if gt $fewest (.maxReplicas | int) -}}
{{- fail (printf "service %q: %d copies at least are more than %d at most: raise services.%s.autoscaling.maxReplicas" $name $fewest (.maxReplicas | int) $name) -}}
{{- end -}}
{{- end -}}

{{- if and (hasKey $service.disruptionBudget "minAvailable") (hasKey $service.disruptionBudget "maxUnavailable") -}}
{{- fail (printf "service %q: minAvailable and maxUnavailable exclude each other: remove one from services.%s.disruptionBudget" $name $name) -}}
{{- end -}}

{{- end -}}
{{- end }}

{{/* The same of seeds. Takes a dict: root, seeds. */}}
{{- define "k8s-ee-app.validateSeeds" -}}
{{- range $name, $seed := .seeds -}}

{{- if hasKey $.root.Values.services $name -}}
{{- fail (printf "seed %q has the name of a service: rename seeds.%s" $name $name) -}}
{{- end -}}
{{- range $database, $chart := omit $.root.Subcharts "common" -}}
{{- if or (eq $name $database) (hasPrefix (print (include "k8s-ee.fullname" $chart) "-") (print $name "-")) -}}
{{- fail (printf "seed %q has the name of objects of the database %s: rename seeds.%s" $name $database $name) -}}
{{- end -}}
{{- end -}}

{{- range $seed.databases -}}
{{- if not (hasKey $.root.Subcharts .) -}}
{{- fail (printf "seed %q uses the database %s, which there is not: set %s.enabled=true, or remove it from seeds.%s.databases" $name . . $name) -}}
{{- end -}}
{{- end -}}

{{- if and $seed.file $seed.image -}}
{{- fail (printf "seed %q has a file and an image: remove seeds.%s.file or seeds.%s.image" $name $name $name) -}}
{{- end -}}
{{- if not (or $seed.file $seed.image) -}}
{{- fail (printf "seed %q has nothing to run: set seeds.%s.image, or seeds.%s.file with its content" $name $name $name) -}}
{{- end -}}

{{- if $seed.file -}}
{{- if ne (len $seed.databases) 1 -}}
{{- fail (printf "seed %q: a file is for one database: set seeds.%s.databases to its name" $name $name) -}}
{{- end -}}
{{- if not (regexMatch (get (include "k8s-ee-app.seedFiles" . | fromJson) (first $seed.databases)) $seed.file) -}}
{{- fail (printf "seed %q: %s does not read %s: rename seeds.%s.file after what is in it" $name (first $seed.databases) $seed.file $name) -}}
{{- end -}}
{{- if not (or $seed.content $seed.contentBase64) -}}
{{- fail (printf "seed %q: nothing is in %s: --set-file seeds.%s.content=<path>" $name $seed.file $name) -}}
{{- end -}}
{{- end -}}

{{- range include "k8s-ee-app.reserved" (dict "root" $.root "service" $seed) | fromJsonArray -}}
{{- if hasKey $seed.env . -}}
{{- fail (printf "seed %q: the variable %s is set by the environment: remove seeds.%s.env.%s" $name . $name .) -}}
{{- end -}}
{{- end -}}

{{- end -}}
{{- end }}
