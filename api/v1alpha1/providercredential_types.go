package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Provider is a vendor, or rather its wire protocol: one per adapter.
//
// +kubebuilder:validation:Enum=OpenAI;DeepSeek;Qwen;Moonshot;Zhipu;MiniMax;Ark;TokenHub;Qianfan;StepFun;Spark;SiliconFlow;Baichuan;Yi;MiMo;DoubaoSpeech;Tencent;Kling;Vidu;Mureka
type Provider string

// Providers.
const (
	// ProviderOpenAI is any OpenAI-compatible upstream; its endpoint is the base URL as an SDK takes it (…/v1).
	ProviderOpenAI Provider = "OpenAI"
	// ProviderDeepSeek is DeepSeek.
	ProviderDeepSeek Provider = "DeepSeek"
	// ProviderQwen is Alibaba Cloud Model Studio (DashScope), for chat and for media.
	ProviderQwen Provider = "Qwen"
	// ProviderMoonshot is Moonshot AI (Kimi).
	ProviderMoonshot Provider = "Moonshot"
	// ProviderZhipu is Zhipu (GLM, Z.ai).
	ProviderZhipu Provider = "Zhipu"
	// ProviderMiniMax is MiniMax.
	ProviderMiniMax Provider = "MiniMax"
	// ProviderArk is Volcengine Ark and BytePlus ModelArk (Doubao, Seedream, Seedance).
	ProviderArk Provider = "Ark"
	// ProviderTokenHub is Tencent TokenHub (Hunyuan).
	ProviderTokenHub Provider = "TokenHub"
	// ProviderQianfan is Baidu Qianfan (ERNIE).
	ProviderQianfan Provider = "Qianfan"
	// ProviderStepFun is StepFun.
	ProviderStepFun Provider = "StepFun"
	// ProviderSpark is iFlytek Spark.
	ProviderSpark Provider = "Spark"
	// ProviderSiliconFlow is SiliconFlow.
	ProviderSiliconFlow Provider = "SiliconFlow"
	// ProviderBaichuan is Baichuan.
	ProviderBaichuan Provider = "Baichuan"
	// ProviderYi is 01.AI (Yi).
	ProviderYi Provider = "Yi"
	// ProviderMiMo is Xiaomi MiMo.
	ProviderMiMo Provider = "MiMo"
	// ProviderDoubaoSpeech is Doubao Speech of Volcengine (openspeech).
	ProviderDoubaoSpeech Provider = "DoubaoSpeech"
	// ProviderTencent is Tencent Cloud's own API, with requests signed by TC3.
	ProviderTencent Provider = "Tencent"
	// ProviderKling is Kling AI of Kuaishou.
	ProviderKling Provider = "Kling"
	// ProviderVidu is Vidu of Shengshu.
	ProviderVidu Provider = "Vidu"
	// ProviderMureka is Mureka of Kunlun, at its own platform or at Skywork's gateway.
	ProviderMureka Provider = "Mureka"
)

// ProviderCredentialSpec says how to reach a vendor and with which Secret.
//
// +kubebuilder:validation:XValidation:rule="!has(self.endpoint) || !self.endpoint.startsWith('http://') || (has(self.allowInsecure) && self.allowInsecure)",message="endpoint is http://, which sends the credential in clear text; use https:// or set allowInsecure: true"
// +kubebuilder:validation:XValidation:rule="self.provider != 'OpenAI' || has(self.endpoint)",message="provider OpenAI has no default endpoint; set endpoint to the base URL, such as https://llm.example.com/v1"
// +kubebuilder:validation:XValidation:rule="!has(self.region) || !has(self.endpoint)",message="region only picks the default endpoint; remove region or endpoint"
// +kubebuilder:validation:XValidation:rule="!has(self.protocol) || (self.provider == 'Kling' && self.protocol in ['New', 'Legacy']) || (self.provider == 'DoubaoSpeech' && self.protocol in ['V3', 'V1']) || (self.provider == 'Mureka' && self.protocol in ['Platform', 'Skywork'])",message="protocol is New or Legacy for Kling, V3 or V1 for DoubaoSpeech, Platform or Skywork for Mureka; use one of these, or remove it for other providers"
type ProviderCredentialSpec struct {
	// provider is the vendor whose protocol is spoken. OpenAI is any OpenAI-compatible upstream.
	//
	// +required
	Provider Provider `json:"provider"`

	// protocol is the generation of the vendor's API to speak, where a vendor has two: New or Legacy for Kling, V3 or V1 for
	// DoubaoSpeech, Platform or Skywork for Mureka. Unset: the first of these. Forbidden for other providers.
	//
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:Pattern=`^[A-Z][A-Za-z0-9]*$`
	Protocol string `json:"protocol,omitempty"`

	// region picks the default endpoint of vendors that have several, such as cn or intl; see the provider's page.
	// Unset: the vendor's first region. Not together with endpoint.
	//
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`
	Region string `json:"region,omitempty"`

	// endpoint is the vendor's root, to which the adapter adds the vendor's own paths; for provider OpenAI it is the base URL
	// as an SDK takes it (…/v1). Unset: the vendor's default for region. http:// needs allowInsecure; private addresses need
	// allowPrivate; link-local ones are never used.
	//
	// +optional
	// +kubebuilder:validation:MinLength=8
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="isURL(self) && (self.startsWith('https://') || self.startsWith('http://')) && url(self).getHostname() != ''",message="endpoint must be an absolute URL that begins with https:// (or http:// with allowInsecure)"
	// +kubebuilder:validation:XValidation:rule="!self.contains('@') && !self.contains('?') && !self.contains('#')",message="endpoint must not hold user info, a query or a fragment; put credentials into the Secret"
	Endpoint string `json:"endpoint,omitempty"`

	// allowInsecure permits an http:// endpoint. The credential then travels in clear text. Default: false.
	//
	// +optional
	AllowInsecure bool `json:"allowInsecure,omitempty"`

	// allowPrivate permits an endpoint whose address is private or loopback. Default: false.
	//
	// +optional
	AllowPrivate bool `json:"allowPrivate,omitempty"`

	// secretRef is the Secret of the same namespace that holds the credential, in the entries that the provider needs: api-key
	// for most, access-key and secret-key or app-id and access-token for some. Whoever may create a ProviderCredential can make
	// the gateway send that Secret's entries to the endpoint.
	//
	// +required
	SecretRef LocalObjectReference `json:"secretRef"`

	// headers are sent with every request to the upstream.
	//
	// +optional
	// +kubebuilder:validation:MaxProperties=16
	// +kubebuilder:validation:XValidation:rule="self.all(k, size(k) <= 64 && k.matches('^[A-Za-z0-9-]+$'))",message="headers: names consist of letters, digits and dashes, at most 64 of them"
	// +kubebuilder:validation:XValidation:rule="self.all(k, !(k.lowerAscii() in ['authorization', 'x-api-key', 'api-key', 'cookie', 'host', 'content-length', 'content-type', 'connection', 'transfer-encoding', 'accept-encoding', 'proxy-authorization']))",message="headers must not set authorization, x-api-key, api-key, proxy-authorization, cookie, host or a header of the connection; the gateway sets them from secretRef"
	Headers map[string]HeaderValue `json:"headers,omitempty"`

	// tls says how to verify the upstream. Unset: the system's certificate authorities.
	//
	// +optional
	TLS *UpstreamTLS `json:"tls,omitempty"`

	// proxy is an HTTP proxy on the way to the upstream. Unset: none; the environment is not read.
	//
	// +optional
	Proxy *UpstreamProxy `json:"proxy,omitempty"`

	// allowedNamespaces says whose routes may use this credential. Unset: those of the same namespace.
	//
	// +optional
	AllowedNamespaces *NamespaceSelection `json:"allowedNamespaces,omitempty"`

	// limits of what is sent with this credential, over all routes and keys; each for itself: unset is unlimited, 0 allows nothing.
	// Unset: unlimited.
	//
	// +optional
	Limits *CredentialLimits `json:"limits,omitempty"`
}

// HeaderValue is the value of an HTTP header: printable ASCII.
//
// +kubebuilder:validation:MaxLength=512
// +kubebuilder:validation:Pattern=`^[ -~]*$`
type HeaderValue string

// UpstreamTLS says how to verify an upstream.
//
// +kubebuilder:validation:MinProperties=1
type UpstreamTLS struct {
	// caBundle holds the PEM certificates to trust instead of the system's.
	//
	// +optional
	CABundle *CABundleSource `json:"caBundle,omitempty"`

	// serverName is the name to expect in the certificate and to send as SNI. Unset: the endpoint's host.
	//
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	ServerName string `json:"serverName,omitempty"`
}

// CABundleSource is where PEM certificates come from.
//
// +kubebuilder:validation:XValidation:rule="has(self.configMapRef) != has(self.secretRef)",message="caBundle needs exactly one of configMapRef and secretRef; set one, or remove the other"
type CABundleSource struct {
	// configMapRef is an entry of a ConfigMap of the same namespace.
	//
	// +optional
	ConfigMapRef *EntryReference `json:"configMapRef,omitempty"`

	// secretRef is an entry of a Secret of the same namespace.
	//
	// +optional
	SecretRef *EntryReference `json:"secretRef,omitempty"`
}

// UpstreamProxy is an HTTP proxy on the way to an upstream.
type UpstreamProxy struct {
	// url of the proxy, http:// or https://, without user info.
	//
	// +required
	// +kubebuilder:validation:MinLength=8
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="isURL(self) && (self.startsWith('https://') || self.startsWith('http://')) && url(self).getHostname() != ''",message="proxy.url must be an absolute http:// or https:// URL"
	// +kubebuilder:validation:XValidation:rule="!self.contains('@')",message="proxy.url must not hold user info; put username and password into the Secret of proxy.secretRef"
	URL string `json:"url"`

	// secretRef is a Secret of the same namespace with the entries username and password. Unset: no proxy authentication.
	//
	// +optional
	SecretRef *LocalObjectReference `json:"secretRef,omitempty"`
}

// ProviderCredentialStatus is what became of a ProviderCredential.
type ProviderCredentialStatus struct {
	// conditions: Ready, and while they hold Reconciling or Stalled; Accepted, ResolvedRefs, Healthy.
	//
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// observedGeneration is the generation this status speaks of; -1 before the first look.
	//
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// endpoint is the one in force.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=512
	Endpoint string `json:"endpoint,omitempty"`

	// ejected are targets with this credential that get no requests at the moment, in one replica at least.
	//
	// +optional
	// +listType=map
	// +listMapKey=target
	// +kubebuilder:validation:MaxItems=64
	Ejected []EjectedTarget `json:"ejected,omitempty"`
}

// ProviderCredential is an account at a vendor.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=providercredentials,shortName=pcred,categories=vipcloud
// +kubebuilder:printcolumn:name="PROVIDER",type=string,JSONPath=`.spec.provider`
// +kubebuilder:printcolumn:name="ENDPOINT",type=string,JSONPath=`.status.endpoint`
// +kubebuilder:printcolumn:name="READY",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="HEALTHY",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Healthy")].status`,description="False while requests show that the vendor refuses or fails them"
// +kubebuilder:printcolumn:name="REASON",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`,priority=1
// +kubebuilder:printcolumn:name="AGE",type=date,JSONPath=`.metadata.creationTimestamp`
type ProviderCredential struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the standard object metadata.
	//
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is what the admin wants.
	//
	// +required
	Spec ProviderCredentialSpec `json:"spec"`

	// status is what became of it.
	//
	// +optional
	// +kubebuilder:default={"observedGeneration":-1}
	Status ProviderCredentialStatus `json:"status,omitempty"`
}

// ProviderCredentialList is a list of ProviderCredentials.
//
// +kubebuilder:object:root=true
type ProviderCredentialList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	// Items are the credentials.
	Items []ProviderCredential `json:"items"`
}
