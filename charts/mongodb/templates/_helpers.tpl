{{/* Secret with the password of the application's user. */}}
{{- define "k8s-ee.mongodb.secret" -}}
{{- .Values.auth.existingSecret | default (printf "%s-password" (include "k8s-ee.fullname" .)) -}}
{{- end }}

{{/* Secret with what the application needs: the name is the one that the MongoDB operators make. */}}
{{- define "k8s-ee.mongodb.connectionSecret" -}}
{{- .Values.auth.existingConnectionSecret | default (include "k8s-ee.mongodb.secretOf" (dict "prefix" (printf "%s-admin" (include "k8s-ee.fullname" .)) "user" .Values.username)) -}}
{{- end }}

{{/* Name of a Secret of a user, as the MongoDB operators make names of objects of those of users. Takes a dict: prefix, user. */}}
{{- define "k8s-ee.mongodb.secretOf" -}}
{{- $name := printf "%s-%s" .prefix .user -}}
{{- if not (regexMatch "^[a-z0-9-]*[a-z0-9]$" $name) -}}
{{- $name = regexReplaceAll "[^a-z0-9]+" (lower $name) "-" | trimAll "-" -}}
{{- end -}}
{{- $name -}}
{{- end }}

{{/*
All users, as JSON: each with its name, its roles with the database of each, and the Secrets with its password and with
its connection strings. Roles that there are in the database `admin` only are given there.
*/}}
{{- define "k8s-ee.mongodb.users" -}}
{{- $full := include "k8s-ee.fullname" . -}}
{{- $all := list (dict "name" .Values.username "roles" .Values.roles "database" .Values.database) -}}
{{- $users := list -}}
{{- range $index, $user := concat $all .Values.users -}}
{{- $roles := list -}}
{{- range $user.roles -}}
{{- $ofAdmin := regexMatch "AnyDatabase$|^cluster|^hostManager$|^enableSharding$|^backup$|^restore$|^root$" . -}}
{{- $roles = append $roles (dict "role" . "db" (ternary "admin" ($user.database | default $.Values.database) $ofAdmin)) -}}
{{- end -}}
{{- $password := include "k8s-ee.mongodb.secretOf" (dict "prefix" (printf "%s-password" $full) "user" $user.name) -}}
{{- $connection := include "k8s-ee.mongodb.secretOf" (dict "prefix" (printf "%s-admin" $full) "user" $user.name) -}}
{{- if not $index -}}
{{- $password = include "k8s-ee.mongodb.secret" $ -}}
{{- $connection = include "k8s-ee.mongodb.connectionSecret" $ -}}
{{- end -}}
{{- $users = append $users (dict "name" $user.name "roles" $roles "passwordSecret" $password "connectionSecret" $connection) -}}
{{- end -}}
{{- toJson $users -}}
{{- end }}

{{/* Service of the replica set. */}}
{{- define "k8s-ee.mongodb.service" -}}
{{- include "k8s-ee.fullname" . -}}-svc
{{- end }}

{{/*
Host name of the one member. The replica set hands it out to clients and keeps it with the data, so it must not contain
the namespace: data that are copied to another environment would name the wrong one.
*/}}
{{- define "k8s-ee.mongodb.member" -}}
{{- printf "%s-0.%s" (include "k8s-ee.fullname" .) (include "k8s-ee.mongodb.service" .) -}}
{{- end }}

{{/* Variables of a service that uses the database, as a list for `env`. */}}
{{- define "k8s-ee.mongodb.env" -}}
{{- $secret := include "k8s-ee.mongodb.connectionSecret" . -}}
{{ include "k8s-ee.secretVariable" (dict "name" "MONGODB_URL" "secret" $secret "key" "connectionString.standard") }}
{{ include "k8s-ee.secretVariable" (dict "name" "MONGODB_URI" "secret" $secret "key" "connectionString.standard") }}
- name: MONGODB_DATABASE
  value: {{ .Values.database }}
{{- end }}

{{/* Metadata of the account under which the operator's pods run, and of its rights. */}}
{{- define "k8s-ee.mongodb.agentMetadata" -}}
name: mongodb-database
labels:
  {{- include "k8s-ee.databasePodLabels" . | nindent 2 }}
{{- end }}
