package v1alpha1

// Condition types that every kind uses. Ready is always present; Reconciling and Stalled are present, and True, only while
// they hold, and never both.
const (
	// ConditionReady is True when the object does what its spec says, everywhere it should.
	ConditionReady = "Ready"
	// ConditionReconciling is True while progress is being made or a missing reference may still turn up.
	ConditionReconciling = "Reconciling"
	// ConditionStalled is True when a human must change something before progress is possible.
	ConditionStalled = "Stalled"
)

// Detail condition types.
const (
	// ConditionAccepted (ModelRoute, ApiKey, ProviderCredential) is True when the spec is valid and an instance takes it.
	ConditionAccepted = "Accepted"
	// ConditionResolvedRefs (ModelRoute, ProviderCredential, ApiKey) is True when everything the spec names exists and may be used.
	ConditionResolvedRefs = "ResolvedRefs"
	// ConditionPriced (ModelRoute) is True when the route has a price, be it zero.
	ConditionPriced = "Priced"
	// ConditionProgrammed (ModelRoute, ApiKey) is True when every ready replica of the serving instances has loaded this generation.
	ConditionProgrammed = "Programmed"
	// ConditionModelsResolved (ApiKey) is False when models or previewModels match no model; the key works all the same.
	ConditionModelsResolved = "ModelsResolved"
	// ConditionPreviousKeyInUse (ApiKey) is True while a key that was rotated out is still used; present only while it is valid.
	ConditionPreviousKeyInUse = "PreviousKeyInUse"
	// ConditionAvailable (GatewayInstance) is True when at least one replica is ready.
	ConditionAvailable = "Available"
	// ConditionCredentialsCompiled (GatewayInstance) is True when the Secret with the credentials of this instance is current.
	ConditionCredentialsCompiled = "CredentialsCompiled"
	// ConditionRedisAvailable (GatewayInstance, GatewayReplica) is False while Redis cannot be reached; present only with a Redis.
	ConditionRedisAvailable = "RedisAvailable"
	// ConditionAutoscaling (GatewayInstance) is True when load chooses the number of replicas; present only with autoscaling.
	ConditionAutoscaling = "Autoscaling"
	// ConditionTLSReady (GatewayInstance) is True when there is a certificate to serve with; present only with tls.
	ConditionTLSReady = "TLSReady"
	// ConditionExposed (GatewayInstance) is True when an Ingress or HTTPRoute leads here; present only with expose.
	ConditionExposed = "Exposed"
	// ConditionHealthy (ProviderCredential, ModelRoute) is False while requests show that targets fail, and they get none for a while.
	ConditionHealthy = "Healthy"
)

// Reasons that several kinds use.
const (
	// ReasonReady surfaces with Ready=True.
	ReasonReady = "Ready"
	// ReasonAccepted surfaces with Accepted=True.
	ReasonAccepted = "Accepted"
	// ReasonResolvedRefs surfaces with ResolvedRefs=True.
	ReasonResolvedRefs = "ResolvedRefs"
	// ReasonProgressing surfaces while replicas or owned objects catch up.
	ReasonProgressing = "Progressing"
	// ReasonInvalid surfaces when a value cannot be used; the message names the field and the remedy.
	ReasonInvalid = "Invalid"
	// ReasonRefNotFound surfaces when a named object does not exist (yet).
	ReasonRefNotFound = "RefNotFound"
	// ReasonRefNotPermitted surfaces when a named object of another namespace does not allow this one.
	ReasonRefNotPermitted = "RefNotPermitted"
	// ReasonKeyRingUnreadable surfaces on a GatewayInstance when its key ring Secret holds no key ring; it is left untouched, and
	// gateways go on with the last one.
	ReasonKeyRingUnreadable = "KeyRingUnreadable"
	// ReasonNameConflict surfaces when an object of the name we need exists and is not ours; it is left untouched.
	ReasonNameConflict = "NameConflict"
	// ReasonNoGateway surfaces when no GatewayInstance serves the object.
	ReasonNoGateway = "NoGateway"
	// ReasonNoReadyReplica surfaces when no serving instance has a ready replica.
	ReasonNoReadyReplica = "NoReadyReplica"
	// ReasonProgrammed surfaces with Programmed=True.
	ReasonProgrammed = "Programmed"
	// ReasonReconcileError surfaces when the API server refused or failed a request; the operator tries again.
	ReasonReconcileError = "ReconcileError"
	// ReasonCurrencyMismatch surfaces when a currency differs from the serving instance's.
	ReasonCurrencyMismatch = "CurrencyMismatch"
	// ReasonHealthy surfaces with Healthy=True.
	ReasonHealthy = "Healthy"
	// ReasonTargetsEjected surfaces with Healthy=False; status.ejected says which, and why.
	ReasonTargetsEjected = "TargetsEjected"
	// ReasonTargetsReturned surfaces in events, when targets that were ejected are so no more.
	ReasonTargetsReturned = "TargetsReturned"
	// ReasonSelectorNeedsClusterMode surfaces in namespaced mode, where namespace labels cannot be read.
	ReasonSelectorNeedsClusterMode = "SelectorNeedsClusterMode"
)

// Reasons of ModelRoute.
const (
	// ReasonNameTaken surfaces with Accepted=False when another route holds the public name.
	ReasonNameTaken = "NameTaken"
	// ReasonPartiallyAccepted surfaces with Accepted=True when only aliases were lost to other routes.
	ReasonPartiallyAccepted = "PartiallyAccepted"
	// ReasonCredentialNotReady surfaces with ResolvedRefs=False when a target's credential cannot be used.
	ReasonCredentialNotReady = "CredentialNotReady"
	// ReasonFallbackUnresolved surfaces with ResolvedRefs=False when a fallback names no route of the same modality.
	ReasonFallbackUnresolved = "FallbackUnresolved"
	// ReasonPriced surfaces with Priced=True.
	ReasonPriced = "Priced"
	// ReasonUnpriced surfaces with Priced=False when pricing is absent.
	ReasonUnpriced = "Unpriced"
	// ReasonSoon surfaces with Programmed=True on routes that only the catalog shows.
	ReasonSoon = "Soon"
)

// Reasons of ApiKey.
const (
	// ReasonSecretConflict surfaces when a Secret of the wanted name exists and is not this key's; it is left untouched.
	ReasonSecretConflict = "SecretConflict"
	// ReasonSecretNotFound surfaces when the referenced Secret or its entry does not exist.
	ReasonSecretNotFound = "SecretNotFound"
	// ReasonInvalidKey surfaces when a brought key does not match ^[!-~]{32,512}$; nothing is published.
	ReasonInvalidKey = "InvalidKey"
	// ReasonDuplicateKey surfaces when another ApiKey already holds the same key.
	ReasonDuplicateKey = "DuplicateKey"
	// ReasonExpired surfaces when expiresAt has passed.
	ReasonExpired = "Expired"
	// ReasonRevoked surfaces when revoked is true.
	ReasonRevoked = "Revoked"
	// ReasonUnknownModels surfaces with ModelsResolved=False.
	ReasonUnknownModels = "UnknownModels"
	// ReasonModelsResolved surfaces with ModelsResolved=True.
	ReasonModelsResolved = "ModelsResolved"
	// ReasonUsed surfaces with PreviousKeyInUse=True: within the last hour.
	ReasonUsed = "Used"
	// ReasonNotUsedLately surfaces with PreviousKeyInUse=False, if the previous key was used, but not within the last hour.
	ReasonNotUsedLately = "NotUsedLately"
	// ReasonNotUsed surfaces with PreviousKeyInUse=False, if the previous key was not used since it was replaced.
	ReasonNotUsed = "NotUsed"
	// ReasonTooManyKeys surfaces when the namespace has more keys than the instance accepts of one, and this one is not among the
	// oldest.
	ReasonTooManyKeys = "TooManyKeys"
)

// Reasons of ProviderCredential.
const (
	// ReasonSecretEntryMissing surfaces when the Secret lacks an entry that the provider needs.
	ReasonSecretEntryMissing = "SecretEntryMissing"
	// ReasonEndpointRequired surfaces when the provider has no default endpoint and none is set.
	ReasonEndpointRequired = "EndpointRequired"
	// ReasonUnknownRegion surfaces when region is none of the provider's.
	ReasonUnknownRegion = "UnknownRegion"
	// ReasonUnknownProtocol surfaces when protocol is none of the provider's.
	ReasonUnknownProtocol = "UnknownProtocol"
	// ReasonInsecureEndpoint surfaces when endpoint is http:// without allowInsecure.
	ReasonInsecureEndpoint = "InsecureEndpoint"
	// ReasonForbiddenEndpoint surfaces when endpoint is link-local, or private without allowPrivate.
	ReasonForbiddenEndpoint = "ForbiddenEndpoint"
)

// Reasons of GatewayInstance.
const (
	// ReasonAvailable surfaces with Available=True.
	ReasonAvailable = "Available"
	// ReasonCompiled surfaces with CredentialsCompiled=True.
	ReasonCompiled = "Compiled"
	// ReasonSecretTooLarge surfaces when the compiled Secret would exceed the size an API server takes.
	ReasonSecretTooLarge = "SecretTooLarge"
	// ReasonRedisConnected surfaces with RedisAvailable=True.
	ReasonRedisConnected = "RedisConnected"
	// ReasonRedisUnreachable surfaces with RedisAvailable=False; limitsFailurePolicy is in force.
	ReasonRedisUnreachable = "RedisUnreachable"
	// ReasonAutoscaling surfaces with Autoscaling=True.
	ReasonAutoscaling = "Autoscaling"
	// ReasonMetricsAPIMissing surfaces with Autoscaling=False when nothing serves the metric to scale by.
	ReasonMetricsAPIMissing = "MetricsAPIMissing"
	// ReasonScalingInactive surfaces with Autoscaling=False when the HorizontalPodAutoscaler cannot scale now.
	ReasonScalingInactive = "ScalingInactive"
	// ReasonExposed surfaces with Exposed=True.
	ReasonExposed = "Exposed"
	// ReasonGatewayAPIMissing surfaces with Exposed=False when the API server knows no HTTPRoute.
	ReasonGatewayAPIMissing = "GatewayAPIMissing"
	// ReasonNotAccepted surfaces with Exposed=False when a Gateway refuses the HTTPRoute.
	ReasonNotAccepted = "NotAccepted"
	// ReasonTLSReady surfaces with TLSReady=True.
	ReasonTLSReady = "TLSReady"
	// ReasonCertificateExpired surfaces with TLSReady=False when clients refuse the certificate for its age.
	ReasonCertificateExpired = "CertificateExpired"
)
