package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// GroupVersion is the group and version of every resource of this package.
var GroupVersion = schema.GroupVersion{Group: "vipcloud.ai", Version: "v1alpha1"}

// Kinds of this package, as they stand in object references and messages.
const (
	KindModelRoute         = "ModelRoute"
	KindApiKey             = "ApiKey"
	KindProviderCredential = "ProviderCredential"
	KindGatewayInstance    = "GatewayInstance"
	KindGatewayReplica     = "GatewayReplica"
	KindUsageReport        = "UsageReport"
)

// AddToScheme registers the types of this package with a scheme.
func AddToScheme(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(GroupVersion,
		&ModelRoute{}, &ModelRouteList{},
		&ApiKey{}, &ApiKeyList{},
		&ProviderCredential{}, &ProviderCredentialList{},
		&GatewayInstance{}, &GatewayInstanceList{},
		&GatewayReplica{}, &GatewayReplicaList{},
		&UsageReport{}, &UsageReportList{},
	)
	metav1.AddToGroupVersion(scheme, GroupVersion)
	return nil
}
