package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// UsageReportRole says what a UsageReport is to the sum.
//
// +kubebuilder:validation:Enum=Live;Archive
type UsageReportRole string

const (
	// UsageReportLive is written by one replica and holds what that replica settled.
	UsageReportLive UsageReportRole = "Live"
	// UsageReportArchive holds what live reports held that are gone.
	UsageReportArchive UsageReportRole = "Archive"
)

// UsageReport is a part of the ledger: what the keys of one shard have used. It is data without spec and status, written by
// gateways and the operator alone. The total of a key is that of the archive of its shard and of all live reports of that shard
// whose UID the archive does not list in merged.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:path=usagereports,shortName=usage,categories=vipcloud
// +kubebuilder:printcolumn:name="GATEWAY",type=string,JSONPath=`.gateway`
// +kubebuilder:printcolumn:name="REPLICA",type=string,JSONPath=`.replica`
// +kubebuilder:printcolumn:name="SHARD",type=integer,JSONPath=`.shard`
// +kubebuilder:printcolumn:name="ROLE",type=string,JSONPath=`.role`
// +kubebuilder:printcolumn:name="AGE",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:selectablefield:JSONPath=`.gateway`
// +kubebuilder:selectablefield:JSONPath=`.role`
// +kubebuilder:validation:XValidation:rule="self.role == 'Live' ? has(self.replica) : !has(self.replica)",message="replica belongs to role: Live, which needs it; an Archive is no replica's"
// +kubebuilder:validation:XValidation:rule="self.role == 'Archive' || !has(self.merged)",message="merged belongs to role: Archive; remove it from a Live report"
// +kubebuilder:validation:XValidation:rule="self.gateway == oldSelf.gateway && self.shard == oldSelf.shard && self.role == oldSelf.role && has(self.replica) == has(oldSelf.replica) && (!has(self.replica) || self.replica == oldSelf.replica)",message="gateway, replica, shard and role of a report cannot be changed; delete it and create another"
type UsageReport struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the standard object metadata.
	//
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// gateway is the name of the GatewayInstance, in the same namespace.
	//
	// +required
	Gateway ObjectName `json:"gateway"`

	// replica is the GatewayReplica that writes a Live report. With role Live alone.
	//
	// +optional
	Replica ObjectName `json:"replica,omitempty"`

	// shard is which keys the report speaks of, by a hash of their namespace and name.
	//
	// +required
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1023
	Shard int32 `json:"shard"`

	// role is Live (what one replica settled) or Archive (what replicas settled that are gone).
	//
	// +required
	Role UsageReportRole `json:"role"`

	// merged are the UIDs of live reports that an Archive holds already and that may still exist. With role Archive alone.
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=1024
	Merged []ReportUID `json:"merged,omitempty"`

	// report is what the keys of the shard used, in the gateway's own form. It is written as a whole.
	//
	// +optional
	// +structType=atomic
	// +kubebuilder:pruning:PreserveUnknownFields
	Report runtime.RawExtension `json:"report,omitzero"`
}

// ReportUID is the UID of a UsageReport.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=64
type ReportUID string

// UsageReportList is a list of UsageReports.
//
// +kubebuilder:object:root=true
type UsageReportList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	// Items are the reports.
	Items []UsageReport `json:"items"`
}
