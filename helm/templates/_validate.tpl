{{- /* What a schema cannot say: values that contradict each other or the place they are for. Each in one sentence. */ -}}
{{- define "sekisho.validate" -}}
{{- include "sekisho.validateIdentity" . -}}
{{- include "sekisho.validateSources" . -}}
{{- include "sekisho.validateConfig" . -}}
{{- include "sekisho.validateNames" . -}}
{{- if and (gt (int .Values.replicas) 1) (eq .Values.store.kind "sqlite") -}}
{{- fail (printf "replicas is %d, but the sqlite store is one file in one pod: approvals and budgets would differ from pod to pod. Set replicas to 1." (int .Values.replicas)) -}}
{{- end -}}
{{- if ge (int .Values.preStopSeconds) (int .Values.terminationGracePeriodSeconds) -}}
{{- fail (printf "preStopSeconds (%d) leaves nothing of terminationGracePeriodSeconds (%d): calls under way would be cut off. Make the grace period longer." (int .Values.preStopSeconds) (int .Values.terminationGracePeriodSeconds)) -}}
{{- end -}}
{{- if eq (int .Values.listen.port) (int .Values.admin.port) -}}
{{- fail "listen.port and admin.port are the same: the admin listener must never be on the public port." -}}
{{- end -}}
{{- end -}}

{{- define "sekisho.validateIdentity" -}}
{{- if not .Values.url -}}
{{- fail "url is not set: give the URL that agents use, for instance https://mcp.example.com; run tokens are made out to it." -}}
{{- end -}}
{{- if dig "identity" "development" false .Values.config -}}
{{- fail "config.identity.development is true, but development identity is for loopback only and never for a cluster. Name who signs run tokens in signers." -}}
{{- end -}}
{{- if not .Values.signers -}}
{{- fail "signers is empty: nobody could sign a run token, and every call would be refused. Give at least one issuer with its public keys." -}}
{{- end -}}
{{- range $index, $signer := .Values.signers -}}
{{- range $signer.jwks.keys -}}
{{- if or (hasKey . "d") (hasKey . "k") -}}
{{- fail (printf "signers[%d] (%s) holds a private or shared key: a ConfigMap is no place for it. Give the public keys only." $index $signer.issuer) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "sekisho.validateSources" -}}
{{- if and .Values.servers.definitions .Values.servers.existingConfigMap -}}
{{- fail "servers.definitions and servers.existingConfigMap are both set: choose one." -}}
{{- end -}}
{{- if not (or .Values.servers.definitions .Values.servers.existingConfigMap) -}}
{{- fail "servers is empty: there is nothing to stand in front of. Give servers.definitions or servers.existingConfigMap." -}}
{{- end -}}
{{- if and .Values.policies.files .Values.policies.existingConfigMap -}}
{{- fail "policies.files and policies.existingConfigMap are both set: choose one." -}}
{{- end -}}
{{- end -}}

{{- define "sekisho.validateConfig" -}}
{{- $owners := dict "version" "the chart" "url" "url" "listen" "listen" "admin" "admin" "servers" "servers" "include" "servers"
  "policy" "policies" "state" "state" "store" "store" -}}
{{- range $key, $owner := $owners -}}
{{- if hasKey $.Values.config $key -}}
{{- fail (printf "config.%s is not yours to set there: it follows from %s." $key $owner) -}}
{{- end -}}
{{- end -}}
{{- if hasKey (dig "identity" dict .Values.config) "signers" -}}
{{- fail "config.identity.signers is not yours to set there: it follows from signers." -}}
{{- end -}}
{{- if hasKey (dig "audit" dict .Values.config) "path" -}}
{{- fail "config.audit.path is not yours to set there: it follows from state." -}}
{{- end -}}
{{- end -}}

{{- /* Keys of maps are checked here and not by the schema: Helm's validator names the wrong place for them. */ -}}
{{- define "sekisho.validateNames" -}}
{{- $maps := list
  (list "servers.definitions" .Values.servers.definitions "^[a-z0-9-]{1,12}$" "a server id is 1 to 12 of a-z, 0-9 and -")
  (list "policies.files" .Values.policies.files "^([a-z0-9]+([-_][a-z0-9]+)*/)*[a-z0-9]+([-_][a-z0-9]+)*[.](rego|json|yaml)$" "a policy file is a relative path such as lib/paths.rego, .json or .yaml")
  (list "secrets" .Values.secrets "^[a-z0-9]([-a-z0-9]{0,40}[a-z0-9])?$" "a name is up to 42 of a-z, 0-9 and -, and no - at either end")
  (list "env" .Values.env "^[A-Z][A-Z0-9_]*$" "a variable is written in A-Z, 0-9 and _")
-}}
{{- range $map := $maps -}}
{{- range $key, $value := index $map 1 -}}
{{- if not (regexMatch (index $map 2) $key) -}}
{{- fail (printf "%s holds %q, but %s." (index $map 0) $key (index $map 3)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
