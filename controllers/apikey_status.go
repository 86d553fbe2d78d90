package controllers

import (
	"cmp"
	"slices"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/table"
)

// publishStatus writes what gateways and people read, but for the conditions.
func (s *keyScope) publishStatus() {
	status := &s.ak.Status
	status.Gateway, status.BaseURL = nil, ""
	if s.instance != nil {
		status.Gateway = &v1alpha1.ObjectReference{
			Namespace: v1alpha1.NamespaceName(s.instance.Namespace), Name: v1alpha1.ObjectName(s.instance.Name)}
		status.BaseURL = baseURL(s)
	}
	status.Project = s.ak.Namespace + "/" + cmp.Or(s.ak.Spec.Project, s.ak.Namespace)
	status.Prefix = s.material.prefix
	status.SecretName = s.material.secretName
	status.Hashes = s.material.hashes
	status.CreatedAt = timePtr(s.material.createdAt)
	status.NextRotation = timePtr(s.material.nextRotation)
}

// setConditions writes the conditions from what was found, and returns when to look again.
func (s *keyScope) setConditions() time.Time {
	details := []detail{s.acceptedDetail(), s.resolvedDetail()}
	s.ak.Status.Effective = s.effective(details[0])
	if i := slices.IndexFunc(s.verdict.findings, isModels); i >= 0 {
		details = append(details, fromFindings(s.verdict.findings[i:i+1])...)
	}
	details = append(details, s.programmedDetail(details[0], details[1]))
	previous, until, ok := s.previousDetail()
	if ok {
		details = append(details, previous)
	}
	o := observation{
		generation: s.ak.Generation,
		now:        s.now,
		changed:    s.seen.changed,
		details:    details,
		owned: []string{v1alpha1.ConditionAccepted, v1alpha1.ConditionResolvedRefs, v1alpha1.ConditionModelsResolved,
			v1alpha1.ConditionProgrammed, v1alpha1.ConditionPreviousKeyInUse},
		ready: "every ready replica accepts this key",
	}
	s.ak.Status.ObservedGeneration = s.ak.Generation
	deadline := earliest(o.settle(&s.ak.Status.Conditions), s.material.deadline, until)
	if end := s.ak.Spec.ExpiresAt; end != nil && end.After(s.now) {
		deadline = earliest(deadline, end.Time)
	}
	return deadline
}

// setRefusal tells about an error that stands in the way and will not pass by itself. Others are not worth a status.
func (s *keyScope) setRefusal(err error) {
	if !refused(err) {
		return
	}
	s.ak.Status.ObservedGeneration = s.ak.Generation
	observation{
		generation: s.ak.Generation,
		now:        s.now,
		details:    []detail{fromProblem("", refusal(err))},
	}.settle(&s.ak.Status.Conditions)
}

// isModels finds the finding on the models that a key names.
func isModels(f table.Finding) bool { return f.Type == v1alpha1.ConditionModelsResolved }

// acceptedDetail says whether the spec is valid and an instance takes the key.
func (s *keyScope) acceptedDetail() detail {
	const kind = v1alpha1.ConditionAccepted
	switch {
	case s.ak.Spec.Revoked:
		return failed(kind, table.Invalid, v1alpha1.ReasonRevoked, "spec.revoked is true; set it to false to let the key in again")
	case expired(s.ak, s.now):
		return failed(kind, table.Invalid, v1alpha1.ReasonExpired, "spec.expiresAt has passed; extend or remove it")
	case lapsed(s.ak, s.now):
		return failed(kind, table.Invalid, v1alpha1.ReasonExpired, "every hash of source.hashes has ended; add a new one")
	case s.invalid != nil:
		return fromProblem(kind, s.invalid)
	case s.noInstance != nil:
		return fromProblem(kind, s.noInstance)
	}
	if i := slices.IndexFunc(s.verdict.findings, func(f table.Finding) bool { return f.Type == kind }); i >= 0 {
		return fromFindings(s.verdict.findings[i : i+1])[0]
	}
	return held(kind, v1alpha1.ReasonAccepted, "accepted by "+s.instance.Namespace+"/"+s.instance.Name)
}

// effective is what holds for the key once the constraints of its instance are applied; nil unless that accepts it.
func (s *keyScope) effective(accepted detail) *v1alpha1.EffectiveKey {
	if !accepted.ok {
		return nil
	}
	key := table.CompileKey(s.ak, client.ObjectKeyFromObject(s.instance))
	if key == nil {
		return nil
	}
	applied, problem := table.CompileKeyRules(s.instance).Apply(key)
	if problem != nil { // the compilation has not seen these constraints yet
		return nil
	}
	return applied.Effective()
}

// resolvedDetail says whether there is a key.
func (s *keyScope) resolvedDetail() detail {
	if p := s.material.problem; p != nil {
		return fromProblem(v1alpha1.ConditionResolvedRefs, p)
	}
	return held(v1alpha1.ConditionResolvedRefs, v1alpha1.ReasonResolvedRefs, "the key is known")
}

// programmedDetail says whether the replicas accept the key. Once they do, that changes only with the generation, with the
// instance or when no replica is left.
func (s *keyScope) programmedDetail(accepted, resolved detail) detail {
	for _, d := range []detail{accepted, resolved} {
		if !d.ok {
			return failed(v1alpha1.ConditionProgrammed, table.Info, d.reason, "not served: "+d.kind+" is False")
		}
	}
	return programmedBy(s.ack, programmedAt(s.ak.Status.Conditions, s.ak.Generation))
}

// expired says whether spec.expiresAt has passed.
func expired(ak *v1alpha1.ApiKey, now time.Time) bool {
	return ak.Spec.ExpiresAt != nil && !now.Before(ak.Spec.ExpiresAt.Time)
}

// lapsed says whether every hash of source Hashes has ended.
func lapsed(ak *v1alpha1.ApiKey, now time.Time) bool {
	if sourceType(ak) != v1alpha1.ApiKeySourceHashes {
		return false
	}
	return !slices.ContainsFunc(ak.Spec.Source.Hashes, func(h v1alpha1.KeyHash) bool {
		return h.NotAfter == nil || now.Before(h.NotAfter.Time)
	})
}
