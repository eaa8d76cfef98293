{{- /* The names under which agents may ask, from outside and from the cluster; others are refused, but for loopback. */ -}}
{{- define "sekisho.hosts" -}}
{{- $name := include "sekisho.name" . -}}
{{- $inside := printf "%s.%s" $name .Release.Namespace -}}
{{- $public := (urlParse .Values.url).hostname -}}
{{- $service := list $name $inside (printf "%s.svc" $inside) (printf "%s.svc.cluster.local" $inside) -}}
{{- concat (list $public) .Values.listen.hosts $service | uniq | toJson -}}
{{- end -}}

{{- define "sekisho.signers" -}}
{{- $signers := list -}}
{{- range $index, $signer := .Values.signers -}}
{{- $signers = append $signers (dict "issuer" $signer.issuer "jwks" (printf "/etc/sekisho/signer-%d.jwks.json" $index)) -}}
{{- end -}}
{{- toJson $signers -}}
{{- end -}}

{{- /* gateway.yaml: `config` as given, and what the chart decides, which _validate.tpl keeps out of `config`. */ -}}
{{- define "sekisho.gatewayYaml" -}}
{{- $listen := .Values.listen -}}
{{- $policies := ternary "/etc/sekisho.d/policies" "/app/policies" (ne (include "sekisho.policiesConfigMap" .) "") -}}
{{- $decided := dict
  "version" 1
  "url" .Values.url
  "listen" (dict "host" "0.0.0.0" "port" $listen.port "hosts" (include "sekisho.hosts" . | fromJsonArray) "origins" $listen.origins)
  "admin" (dict "host" "0.0.0.0" "port" .Values.admin.port)
  "identity" (dict "signers" (include "sekisho.signers" . | fromJsonArray))
  "include" (list "/etc/sekisho.d/servers/*.yaml")
  "policy" (dict "path" $policies)
  "state" "/var/lib/sekisho/data"
  "store" (dict "kind" .Values.store.kind "path" "/var/lib/sekisho/data/state.db")
  "audit" (dict "path" "/var/lib/sekisho/data/audit")
-}}
{{- toYaml (mustMergeOverwrite (deepCopy .Values.config) $decided) -}}
{{- end -}}

{{- /* The files of the start-only ConfigMap; their digest is what rolls the pods. */ -}}
{{- define "sekisho.startFiles" -}}
gateway.yaml: |
  {{- include "sekisho.gatewayYaml" . | nindent 2 }}
{{- range $index, $signer := .Values.signers }}
signer-{{ $index }}.jwks.json: {{ $signer.jwks | toJson | quote }}
{{- end }}
{{- end -}}
