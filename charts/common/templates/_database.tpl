{{/*
Pieces of a database chart: a StatefulSet of one pod, its Services and its Secret. A database is a component named after
its chart. Each helper takes the chart's own context unless it says otherwise.
*/}}

{{/* Name of the database's objects: `app-redis` in the release `app`. */}}
{{- define "k8s-ee.fullname" -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 52 | trimSuffix "-" -}}
{{- end }}

{{/* The map `environment` that reaches all charts through `global`, as JSON. */}}
{{- define "k8s-ee.environment" -}}
{{- (.Values.global | default dict).environment | default dict | toJson -}}
{{- end }}

{{/* Metadata of a database's object. Takes a dict: root; and optionally suffix, which follows the full name. */}}
{{- define "k8s-ee.databaseMetadata" -}}
{{- $version := ternary "" .root.Values.version (ne .root.Values.image "") -}}
{{- $environment := include "k8s-ee.environment" .root | fromJson -}}
name: {{ include "k8s-ee.fullname" .root }}{{ .suffix }}
labels:
  {{- include "k8s-ee.labels" (dict "root" .root "component" .root.Chart.Name "version" $version "environment" $environment) | nindent 2 }}
{{- with $environment.repository }}
annotations: {{ include "k8s-ee.json" (dict "k8s-ee/repository" .) }}
{{- end }}
{{- end }}

{{/* The label that selects the database's pod. */}}
{{- define "k8s-ee.databaseSelector" -}}
{{- include "k8s-ee.selectorLabels" (dict "component" .Chart.Name) -}}
{{- end }}

{{/* Labels of the database's pod. */}}
{{- define "k8s-ee.databasePodLabels" -}}
{{- include "k8s-ee.podLabels" (dict "root" . "component" .Chart.Name "environment" (include "k8s-ee.environment" . | fromJson)) -}}
{{- end }}

{{/* Fields of a StatefulSet's spec that all databases share. */}}
{{- define "k8s-ee.statefulSet" -}}
replicas: 1
# With the default policy, a pod that never gets ready is not replaced when its template is mended.
podManagementPolicy: Parallel
revisionHistoryLimit: 1
# Data are removed only when that is asked for, or with the whole environment.
persistentVolumeClaimRetentionPolicy:
  whenDeleted: Retain
  whenScaled: Retain
selector:
  matchLabels:
    {{- include "k8s-ee.databaseSelector" . | nindent 4 }}
{{- end }}

{{/* The value `storage`, which is a size or a map of size and storageClass, as the map in JSON. */}}
{{- define "k8s-ee.storage" -}}
{{- if kindIs "string" .Values.storage -}}
{{- dict "size" .Values.storage | toJson -}}
{{- else -}}
{{- toJson .Values.storage -}}
{{- end -}}
{{- end }}

{{/*
The volume `data`: a claim of the size in the values, or an empty directory that goes with the pod. The claim's labels
cannot be changed later, so it has the stable ones only.
*/}}
{{- define "k8s-ee.volumeClaimTemplates" -}}
{{- $storage := include "k8s-ee.storage" . | fromJson -}}
{{- if $storage.size -}}
volumeClaimTemplates:
  - apiVersion: v1
    kind: PersistentVolumeClaim
    metadata:
      name: data
      labels:
        {{- include "k8s-ee.databaseSelector" . | nindent 8 }}
    spec:
      accessModes:
        - ReadWriteOnce
      {{- with $storage.storageClass }}
      storageClassName: {{ . }}
      {{- end }}
      resources:
        requests:
          storage: {{ $storage.size }}
{{- end }}
{{- end }}

{{/*
Entry point of a database whose image prepares the volume on the first start. If that was cut short, or a statement of it
failed, the image would take the volume for ready the next time; so it is emptied and prepared again until the mark of
`k8s-ee.initialized` is there. Takes the volume's directory.
*/}}
{{- define "k8s-ee.initialize" -}}
[ -e {{ . }}/.k8s-ee-initialized ] || find {{ . }} -mindepth 1 -maxdepth 1 ! -name lost+found -exec rm -rf {} +
{{- end }}

{{/* The last of the scripts that the image runs on the first start. Takes the volume's directory. */}}
{{- define "k8s-ee.initialized" -}}
touch {{ . }}/.k8s-ee-initialized
{{- end }}

{{/*
How often a database is asked whether it is up, and how long it may take. Nothing is asked before it is up, so every second
is not too often.
*/}}
{{- define "k8s-ee.startupTimes" -}}
periodSeconds: 1
failureThreshold: {{ int .Values.startupSeconds }}
{{- end }}

{{/*
Annotation of a pod: the checksum of the statements that prepare the volume, if there are any. One that failed and was
mended gets a new pod at once, and not when a node reads the ConfigMap again.
*/}}
{{- define "k8s-ee.bootstrapChecksum" -}}
{{- range .Values.bootstrap -}}
{{- if . -}}
checksum/bootstrap: {{ $.Values.bootstrap | toJson | sha256sum }}
{{- break -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* Statements of SQL for a client, each ended even if its last line is a comment. Takes a list. */}}
{{- define "k8s-ee.statements" -}}
{{- range . }}
{{ . }}
;
{{- end }}
{{- end }}

{{/* A variable that comes from a Secret. Takes a dict: name, secret, key. */}}
{{- define "k8s-ee.secretVariable" -}}
- name: {{ .name }}
  valueFrom:
    secretKeyRef:
      name: {{ .secret }}
      key: {{ .key }}
{{- end }}

{{/* Part of a URL, such as a password. */}}
{{- define "k8s-ee.urlPart" -}}
{{- urlquery . | replace "+" "%20" -}}
{{- end }}

{{/* Stops when the values name both a password and a Secret that already has one. */}}
{{- define "k8s-ee.validateAuth" -}}
{{- if and .Values.auth.password .Values.auth.existingSecret -}}
{{- fail (printf "%s: auth.password would make a Secret, and auth.existingSecret names one: remove either" .Chart.Name) -}}
{{- end -}}
{{- end }}
