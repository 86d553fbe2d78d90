package v1alpha1

// Labels and annotations of UsageReports.
const (
	// LabelReplica on a live report names the GatewayReplica that writes it; a name that no label can hold is cut.
	LabelReplica = "vipcloud.ai/gateway-replica"
	// LabelPodUID on a live report is the UID of the pod that writes it, empty outside a cluster.
	LabelPodUID = "vipcloud.ai/pod-uid"
	// LabelShard on a report is its shard.
	LabelShard = "vipcloud.ai/usage-shard"

	// AnnotationWriter on a live report names the process that wrote it last.
	AnnotationWriter = "vipcloud.ai/writer"
	// AnnotationSealed on a live report says that nobody may write it any more: its content is final, and about to be merged into
	// the archive. A replica that lives after all goes on in another report.
	AnnotationSealed = "vipcloud.ai/sealed"
	// AnnotationMerged on an archive says of each merged report how far it had come and when it was merged, as JSON: an object of
	// [sequence, Unix seconds] by UID.
	AnnotationMerged = "vipcloud.ai/merged"
)
