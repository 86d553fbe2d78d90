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
app.kubernetes.io/component: operator
app.kubernetes.io/name: vipcloud
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
- apiGroups:
  - ""
  resources:
  - configmaps
  verbs:
  - get
  - list
  - watch
- apiGroups:
  - ""
  resources:
  - namespaces
  - pods
  verbs:
  - list
  - watch
- apiGroups:
  - ""
  resources:
  - secrets
  verbs:
  - create
  - get
  - list
  - update
  - watch
- apiGroups:
  - ""
  resources:
  - serviceaccounts
  - services
  verbs:
  - create
  - get
  - list
  - patch
  - watch
- apiGroups:
  - apps
  resources:
  - deployments
  verbs:
  - create
  - get
  - list
  - patch
  - watch
- apiGroups:
  - autoscaling
  resources:
  - horizontalpodautoscalers
  verbs:
  - create
  - delete
  - get
  - list
  - patch
  - watch
- apiGroups:
  - events.k8s.io
  resources:
  - events
  verbs:
  - create
  - patch
- apiGroups:
  - gateway.networking.k8s.io
  resources:
  - httproutes
  verbs:
  - create
  - delete
  - get
  - patch
- apiGroups:
  - networking.k8s.io
  resources:
  - ingresses
  - networkpolicies
  verbs:
  - create
  - delete
  - get
  - list
  - patch
  - watch
- apiGroups:
  - policy
  resources:
  - poddisruptionbudgets
  verbs:
  - create
  - delete
  - get
  - list
  - patch
  - watch
- apiGroups:
  - rbac.authorization.k8s.io
  resources:
  - clusterrolebindings
  - rolebindings
  verbs:
  - create
  - delete
  - get
  - list
  - patch
  - watch
- apiGroups:
  - rbac.authorization.k8s.io
  resourceNames:
  - vipcloud-gateway-reader
  resources:
  - clusterroles
  verbs:
  - bind
- apiGroups:
  - rbac.authorization.k8s.io
  resources:
  - roles
  verbs:
  - create
  - get
  - list
  - patch
  - watch
- apiGroups:
  - vipcloud.ai
  resources:
  - apikeys
  - gatewayinstances
  - modelroutes
  - providercredentials
  verbs:
  - get
  - list
  - watch
- apiGroups:
  - vipcloud.ai
  resources:
  - apikeys/status
  - gatewayinstances/status
  - modelroutes/status
  - providercredentials/status
  verbs:
  - get
  - patch
- apiGroups:
  - vipcloud.ai
  resources:
  - gatewayreplicas
  verbs:
  - create
  - delete
  - get
  - list
  - patch
  - update
  - watch
- apiGroups:
  - vipcloud.ai
  resources:
  - gatewayreplicas/status
  verbs:
  - patch
  - update
- apiGroups:
  - vipcloud.ai
  resources:
  - usagereports
  verbs:
  - create
  - delete
  - get
  - list
  - update
  - watch
{{- end }}

{{/* The operator as a subject of bindings. */}}
{{- define "vipcloud.subjects" -}}
- kind: ServiceAccount
  name: {{ .Values.serviceAccount.name }}
  namespace: {{ .Release.Namespace }}
{{- end }}
