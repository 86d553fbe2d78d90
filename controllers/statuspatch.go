package controllers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/table"
)

// statusPatch writes the difference between the status of an object as it was read and as it is now.
type statusPatch struct {
	op         *operator
	obj        client.Object
	before     client.Object
	conditions *[]metav1.Condition
	// reason of Ready as it was read.
	reason string
	// ejected are the targets that the status shows as ejected, nil if it shows none ever; ejectedBefore as it was read.
	ejected       *[]v1alpha1.EjectedTarget
	ejectedBefore []v1alpha1.EjectedTarget
	// programmed says that this generation was served when it was read.
	programmed bool
}

// beginStatus remembers an object as it was read. conditions are those of its status.
func (op *operator) beginStatus(obj client.Object, conditions *[]metav1.Condition) *statusPatch {
	p := &statusPatch{op: op, obj: obj, before: obj.DeepCopyObject().(client.Object), conditions: conditions}
	if ready := meta.FindStatusCondition(*conditions, v1alpha1.ConditionReady); ready != nil {
		p.reason = ready.Reason
	}
	p.programmed = programmedAt(*conditions, obj.GetGeneration())
	return p
}

// showing says that the status shows targets that are ejected, which events tell of, too.
func (p *statusPatch) showing(ejected *[]v1alpha1.EjectedTarget) *statusPatch {
	p.ejected, p.ejectedBefore = ejected, slices.Clone(*ejected)
	return p
}

// conflictAgain is when to look again after somebody else has written in between.
const conflictAgain = 20 * time.Millisecond

// finish ends the patch and adds its outcome to that of the reconciliation.
func (p *statusPatch) finish(ctx context.Context, res ctrl.Result, err error) (ctrl.Result, error) {
	written := p.end(ctx)
	if apierrors.IsConflict(written) {
		written, res = nil, ctrl.Result{RequeueAfter: conflictAgain}
	}
	if err = errors.Join(err, written); err != nil {
		return ctrl.Result{}, err
	}
	return res, nil
}

// end patches the status if it changed, and tells about a new reason of Ready by an event.
func (p *statusPatch) end(ctx context.Context) error {
	if equality.Semantic.DeepEqual(p.before, p.obj) {
		return nil
	}
	// What the cache shows may be older than what we wrote last: transition times and the ends of brought keys, which stand
	// nowhere else, would begin anew.
	change := client.MergeFromWithOptions(p.before, client.MergeFromWithOptimisticLock{})
	if err := p.op.Status().Patch(ctx, p.obj, change); err != nil {
		if client.IgnoreNotFound(err) == nil {
			return nil
		}
		return fmt.Errorf("patching the status: %w", err)
	}
	p.event()
	p.ejectionEvents()
	if !p.programmed && programmedAt(*p.conditions, p.obj.GetGeneration()) {
		p.op.served(p.obj)
	}
	return nil
}

// event tells about a new reason of Ready, except for the first one of an object that is only on its way.
func (p *statusPatch) event() {
	ready := meta.FindStatusCondition(*p.conditions, v1alpha1.ConditionReady)
	if ready == nil || ready.Reason == p.reason || (p.reason == "" && ready.Reason == v1alpha1.ReasonProgressing) {
		return
	}
	bad := ready.Status != metav1.ConditionTrue && !meta.IsStatusConditionTrue(*p.conditions, v1alpha1.ConditionReconciling)
	p.tell(bad, ready.Reason, ready.Message)
}

// tell makes an event, a warning if it is bad news.
func (p *statusPatch) tell(bad bool, reason, message string) {
	kind := corev1.EventTypeNormal
	if bad {
		kind = corev1.EventTypeWarning
	}
	p.op.recorder.Eventf(p.obj, nil, kind, reason, "Reconcile", "%s", truncate(message))
}

// again asks for another look at a deadline; zero asks for none.
func (op *operator) again(deadline time.Time) ctrl.Result {
	if deadline.IsZero() {
		return ctrl.Result{}
	}
	return ctrl.Result{RequeueAfter: max(deadline.Sub(op.clock.Now()), time.Millisecond)}
}

// refused says that the API server will not do what was asked, however often: a quota, a policy, a missing right. Such an error
// belongs into the status; others pass.
func refused(err error) bool {
	return apierrors.IsForbidden(err) || apierrors.IsInvalid(err) || apierrors.IsBadRequest(err) ||
		apierrors.IsRequestEntityTooLargeError(err) || apierrors.IsMethodNotSupported(err)
}

// refusal tells people about a request that the API server refuses, and that the operator repeats nevertheless.
func refusal(err error) *table.Problem {
	remedy := "; change what it names, or the policy that refuses it"
	switch {
	case strings.Contains(err.Error(), "exceeded quota"):
		remedy = "; raise the ResourceQuota, or delete something that counts"
	case strings.Contains(err.Error(), "is being terminated"):
		remedy = "; the namespace is being deleted"
	case apierrors.IsForbidden(err):
		remedy = "; give the operator that right, as config/rbac does, or change the policy that refuses it"
	}
	return &table.Problem{Severity: pending, Reason: v1alpha1.ReasonReconcileError, Message: err.Error() + remedy}
}
