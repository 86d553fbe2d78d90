package v1alpha1

// GatewayTLS is the certificate of a gateway.
type GatewayTLS struct {
	// secretName is a Secret of the instance's namespace with the entries tls.crt and tls.key, such as cert-manager makes. It is read
	// again when it changes. It may come later than the instance.
	//
	// +required
	SecretName ObjectName `json:"secretName"`
}
