package v1alpha1

// Labels, annotations and entries of objects that the operator makes.
const (
	// LabelApiKey on a Secret names the ApiKey that it belongs to.
	LabelApiKey = "vipcloud.ai/apikey"
	// LabelInstance names the GatewayInstance that an object belongs to.
	LabelInstance = "vipcloud.ai/gateway-instance"
	// LabelInstanceNamespace names its namespace, on objects that cannot carry an owner reference.
	LabelInstanceNamespace = "vipcloud.ai/gateway-instance-namespace"
	// LabelInstanceUID is its UID, on objects that cannot carry an owner reference.
	LabelInstanceUID = "vipcloud.ai/gateway-instance-uid"

	// AnnotationCreatedAt on a key Secret is when the current key was made, RFC 3339.
	AnnotationCreatedAt = "vipcloud.ai/created-at"
	// AnnotationPreviousHash on a key Secret is the SHA-256 of the key before the last rotation.
	AnnotationPreviousHash = "vipcloud.ai/previous-sha256"
	// AnnotationPreviousNotAfter on a key Secret is when that one ends, RFC 3339.
	AnnotationPreviousNotAfter = "vipcloud.ai/previous-not-after"
	// AnnotationTrigger on a key Secret is the rotation.trigger that the current key answers.
	AnnotationTrigger = "vipcloud.ai/rotation-trigger"
	// AnnotationCurrentHash on a key Secret is the SHA-256 of the key it was last seen with, so that an edit is noticed.
	AnnotationCurrentHash = "vipcloud.ai/current-sha256"
	// AnnotationRotateKeyRing on a GatewayInstance rotates the key ring when its value changes.
	AnnotationRotateKeyRing = "vipcloud.ai/rotate-keyring"

	// AnnotationResetUsage on an ApiKey sets its usage to zero when its value changes.
	AnnotationResetUsage = "vipcloud.ai/reset-usage"

	// SecretEntryApiKey is the entry of a key Secret, and of a provider Secret, that holds the key.
	SecretEntryApiKey = "api-key"
	// SecretEntryOpenAIKey is the entry that an OpenAI SDK reads through envFrom.
	SecretEntryOpenAIKey = "OPENAI_API_KEY"
	// SecretEntryOpenAIBaseURL is the entry that an OpenAI SDK reads through envFrom.
	SecretEntryOpenAIBaseURL = "OPENAI_BASE_URL"

	// SecretEntryRedisUsername is the entry of a Redis Secret that holds the user's name; absent for none.
	SecretEntryRedisUsername = "username"
	// SecretEntryRedisPassword is the entry of a Redis Secret that holds the password.
	SecretEntryRedisPassword = "password"
	// SecretEntrySentinelUsername is the entry of a Redis Secret that holds the Sentinels' user; absent for none.
	SecretEntrySentinelUsername = "sentinel-username"
	// SecretEntrySentinelPassword is the entry of a Redis Secret that holds the Sentinels' password; absent for none.
	SecretEntrySentinelPassword = "sentinel-password"
)
