package controllers

import (
	"fmt"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/controllers/render"
	"vipcloud.ai/vipcloud/gateway/table"
)

// KeyProblem says what stands in the way of a key by its spec and name alone, nil if nothing does. It is for those who check
// manifests without a cluster.
func KeyProblem(ak *v1alpha1.ApiKey) *table.Problem {
	if _, p := rotationOf(ak); p != nil {
		return p
	}
	if sourceType(ak) == v1alpha1.ApiKeySourceGenerated {
		return nameProblem(ak)
	}
	return nil
}

// nameProblem says that a generated key has a name that its Secret cannot be labelled with.
func nameProblem(ak *v1alpha1.ApiKey) *table.Problem {
	if len(ak.Name) <= maxLabelValue {
		return nil
	}
	return &table.Problem{Severity: table.Invalid, Reason: v1alpha1.ReasonInvalid,
		Message: fmt.Sprintf("metadata.name has %d characters; a generated key needs a name of at most %d", len(ak.Name), maxLabelValue)}
}

// InstanceProblem says what of an instance's spec cannot be used, nil if all can. As KeyProblem, it is for those who check
// manifests.
func InstanceProblem(instance *v1alpha1.GatewayInstance) *table.Problem {
	if p := table.InstanceProblem(instance, nil); p != nil {
		return p
	}
	if _, err := render.Objects(render.Input{Instance: instance, Image: "vipcloud"}); err != nil {
		return &table.Problem{Severity: table.Invalid, Reason: v1alpha1.ReasonInvalid, Message: err.Error()}
	}
	return nil
}
