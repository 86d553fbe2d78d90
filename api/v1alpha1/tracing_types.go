package v1alpha1

// TracingEndpoint is the base URL of an OTLP receiver that takes HTTP.
//
// +kubebuilder:validation:MinLength=8
// +kubebuilder:validation:MaxLength=512
// +kubebuilder:validation:Pattern=`^https?://([A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:.]+\])(:[1-9][0-9]{0,4})?(/[A-Za-z0-9._~/-]*)?$`
type TracingEndpoint string

// UsageLogExport says whether the usage log goes to the receiver, too.
//
// +kubebuilder:validation:Enum=None;All
type UsageLogExport string

const (
	// UsageLogNone exports no log records.
	UsageLogNone UsageLogExport = "None"
	// UsageLogAll exports a record for every request, whether its trace is sampled or not.
	UsageLogAll UsageLogExport = "All"
)

// Tracing sends OpenTelemetry traces of requests, and if wanted the usage log, to a receiver. Prompts, answers and credentials are in
// neither.
type Tracing struct {
	// endpoint is the base URL of an OTLP receiver (HTTP, protobuf), such as http://otel-collector.monitoring:4318. /v1/traces and
	// /v1/logs are added to it.
	//
	// +required
	Endpoint TracingEndpoint `json:"endpoint"`

	// sampleRatio is the part of the traces begun here that is recorded, from 0 to 1. A request that comes with a W3C traceparent is
	// recorded if and only if that says so. Default: 0.1.
	//
	// +optional
	// +kubebuilder:validation:XValidation:rule="quantity(self).compareTo(quantity('1')) <= 0",message="tracing.sampleRatio must be between 0 and 1, such as 0.1"
	SampleRatio Decimal `json:"sampleRatio,omitempty"`

	// headersSecretRef is an entry of a Secret of the instance's namespace with headers for the receiver, as name=value,name=value.
	// A change of the Secret takes effect with the next restart of a pod. Unset: none.
	//
	// +optional
	HeadersSecretRef *EntryReference `json:"headersSecretRef,omitempty"`

	// usageLog says whether the record of each request, which is also written to standard output, is sent to the receiver: None or
	// All. Default: None.
	//
	// +optional
	UsageLog UsageLogExport `json:"usageLog,omitempty"`
}
