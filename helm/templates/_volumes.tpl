{{- define "sekisho.volumes" -}}
- name: config
  configMap: { name: {{ include "sekisho.name" . }}-config }
- name: servers
  configMap: { name: {{ include "sekisho.serversConfigMap" . }} }
{{- with include "sekisho.policiesConfigMap" . }}
- name: policies
  configMap:
    name: {{ . }}
    {{- with $.Values.policies.files }}
    items:
      {{- range $path, $text := . }}
      - { key: {{ include "sekisho.policyKey" $path }}, path: {{ $path }} }
      {{- end }}
    {{- end }}
{{- end }}
{{- range $name, $secret := .Values.secrets }}
- name: secret-{{ $name }}
  secret: { secretName: {{ $secret.existingSecret }}, defaultMode: 288 } # 0440
{{- end }}
- name: state
  {{- if .Values.state.existingClaim }}
  persistentVolumeClaim: { claimName: {{ .Values.state.existingClaim }} }
  {{- else }}
  emptyDir: { sizeLimit: {{ .Values.state.sizeLimit }} }
  {{- end }}
- name: tmp
  emptyDir: { sizeLimit: 64Mi }
{{- end -}}
