{{/* Labels of every object. */}}
{{- define "vipcloud.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
app.kubernetes.io/part-of: vipcloud
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{/* Labels that the operator's pods are selected by. */}}
{{- define "vipcloud.selector" -}}
[[ config "Deployment/vipcloud-operator" "spec.selector.matchLabels" 0 ]]
{{- end }}

{{/* The operator's image. */}}
{{- define "vipcloud.image" -}}
{{- with .Values.image.registry | default (default dict .Values.global).imageRegistry -}}
{{ trimSuffix "/" . }}/
{{- end -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end }}

{{/* The operator's rules: of a ClusterRole, or of a Role in each watched namespace. */}}
{{- define "vipcloud.operatorRules" -}}
[[ config "ClusterRole/vipcloud-operator" "rules" 0 ]]
{{- end }}

{{/* The operator as a subject of bindings. */}}
{{- define "vipcloud.subjects" -}}
- kind: ServiceAccount
  name: {{ .Values.serviceAccount.name }}
  namespace: {{ .Release.Namespace }}
{{- end }}
