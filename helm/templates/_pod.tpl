{{- define "sekisho.pod" -}}
serviceAccountName: {{ .Values.serviceAccountName }}
automountServiceAccountToken: false
enableServiceLinks: false
# The pause process reaps what a stdio server leaves behind; Node, as process 1, would not.
shareProcessNamespace: true
terminationGracePeriodSeconds: {{ .Values.terminationGracePeriodSeconds }}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
securityContext:
  {{- include "sekisho.podSecurity" . | nindent 2 }}
  fsGroup: 10001
  # Not at every mount: that would open the state's key files to the group, and the gateway refuses such keys.
  fsGroupChangePolicy: OnRootMismatch
containers:
  - name: gateway
    {{- include "sekisho.gatewayContainer" . | nindent 4 }}
volumes:
  {{- include "sekisho.volumes" . | nindent 2 }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "sekisho.gatewayContainer" -}}
image: {{ include "sekisho.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
args: [--config, /etc/sekisho/gateway.yaml]
{{- with .Values.env }}
env:
  {{- range $name, $value := . }}
  - name: {{ $name }}
    value: {{ $value | quote }}
  {{- end }}
{{- end }}
ports:
  - name: mcp
    containerPort: {{ .Values.listen.port }}
    protocol: TCP
  - name: admin
    containerPort: {{ .Values.admin.port }}
    protocol: TCP
startupProbe:
  httpGet: { path: /livez, port: admin }
  {{- toYaml .Values.probes.startup | nindent 2 }}
livenessProbe:
  httpGet: { path: /livez, port: admin }
  {{- toYaml .Values.probes.liveness | nindent 2 }}
readinessProbe:
  httpGet: { path: /readyz, port: admin }
  {{- toYaml .Values.probes.readiness | nindent 2 }}
lifecycle:
  preStop:
    sleep: { seconds: {{ .Values.preStopSeconds }} }
resources:
  {{- toYaml .Values.resources | nindent 2 }}
securityContext:
  {{- include "sekisho.containerSecurity" . | nindent 2 }}
volumeMounts:
  # Whole directories, never a subPath: a subPath mount never sees a ConfigMap's later versions.
  - { name: config, mountPath: /etc/sekisho, readOnly: true }
  - { name: servers, mountPath: /etc/sekisho.d/servers, readOnly: true }
  {{- if include "sekisho.policiesConfigMap" . }}
  - { name: policies, mountPath: /etc/sekisho.d/policies, readOnly: true }
  {{- end }}
  {{- range $name, $secret := .Values.secrets }}
  - { name: secret-{{ $name }}, mountPath: /run/secrets/sekisho/{{ $name }}, readOnly: true }
  {{- end }}
  - { name: state, mountPath: /var/lib/sekisho }
  - { name: tmp, mountPath: /tmp }
{{- end -}}
