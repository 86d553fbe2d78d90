package v1alpha1

// RedisMode is how a Redis or Valkey is set up.
//
// +kubebuilder:validation:Enum=Single;Sentinel;Cluster
type RedisMode string

const (
	// RedisModeSingle is one server.
	RedisModeSingle RedisMode = "Single"
	// RedisModeSentinel is a primary that Sentinels tell the address of.
	RedisModeSentinel RedisMode = "Sentinel"
	// RedisModeCluster is a Redis Cluster.
	RedisModeCluster RedisMode = "Cluster"
)

// LimitsFailurePolicy says what happens to requests while Redis is away.
//
// +kubebuilder:validation:Enum=Allow;Deny
type LimitsFailurePolicy string

const (
	// LimitsFailurePolicyAllow goes on with each replica's share of limits and budgets, as without Redis.
	LimitsFailurePolicyAllow LimitsFailurePolicy = "Allow"
	// LimitsFailurePolicyDeny answers requests of keys with a limit or a budget 503 limits_unavailable.
	LimitsFailurePolicyDeny LimitsFailurePolicy = "Deny"
)

// RedisAddress is host:port, with IPv6 addresses in brackets.
//
// +kubebuilder:validation:MinLength=3
// +kubebuilder:validation:MaxLength=261
// +kubebuilder:validation:Pattern=`^([A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:.]+\]):[1-9][0-9]{0,4}$`
type RedisAddress string

// Redis is a Redis or Valkey that makes limits and budgets exact across replicas.
//
// +kubebuilder:validation:XValidation:rule="(has(self.mode) ? self.mode : 'Single') == 'Single' ? has(self.address) && !has(self.addresses) : has(self.addresses) && !has(self.address)",message="redis: mode Single takes address, modes Sentinel and Cluster take addresses; set the one that belongs to mode and remove the other"
// +kubebuilder:validation:XValidation:rule="(has(self.mode) && self.mode == 'Sentinel') == has(self.masterName)",message="redis: masterName belongs to mode: Sentinel, which needs it; set both or remove masterName"
type Redis struct {
	// mode is Single, Sentinel or Cluster. Unset: Single.
	//
	// +optional
	Mode RedisMode `json:"mode,omitempty"`

	// address of the server, as host:port. With mode Single alone.
	//
	// +optional
	Address RedisAddress `json:"address,omitempty"`

	// addresses of the Sentinels, or of some servers of the cluster, each as host:port. With modes Sentinel and Cluster alone.
	//
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	Addresses []RedisAddress `json:"addresses,omitempty"`

	// masterName is what the Sentinels call the primary. With mode Sentinel alone.
	//
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9._-]+$`
	MasterName string `json:"masterName,omitempty"`

	// secretRef is a Secret of the instance's namespace with the entries password and, if there is a user, username; for Sentinels
	// that ask for their own, sentinel-password and sentinel-username. Unset: no authentication.
	//
	// +optional
	SecretRef *LocalObjectReference `json:"secretRef,omitempty"`

	// tls encrypts the connection; {} is enough if the system's certificate authorities know the server. Unset: clear text.
	//
	// +optional
	TLS *RedisTLS `json:"tls,omitempty"`
}

// RedisTLS says how to verify a Redis.
type RedisTLS struct {
	// caBundle holds the PEM certificates to trust instead of the system's.
	//
	// +optional
	CABundle *CABundleSource `json:"caBundle,omitempty"`

	// serverName is the name to expect in the certificate and to send as SNI. Unset: the host of the address.
	//
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	ServerName string `json:"serverName,omitempty"`
}

// Demo lets anybody try models without a key. Its clients are told apart by address, IPv6 ones by their /64.
type Demo struct {
	// models are patterns on public names of Live models that may be tried.
	//
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	Models []ModelGlob `json:"models"`

	// requestsPerMinute is how many requests of one client are accepted in a minute; more are answered 429. Unset: 5. 0: none.
	//
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=10000
	RequestsPerMinute *int64 `json:"requestsPerMinute,omitempty"`

	// budget is what all clients may spend together. Unset: no bound.
	//
	// +optional
	Budget *Budget `json:"budget,omitempty"`

	// maxClients is how many clients one replica serves within a minute; further ones are answered 429. Unset: 1000.
	//
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000000
	MaxClients *int32 `json:"maxClients,omitempty"`
}
