package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// BudgetPeriod is the time after which a budget begins anew. All periods are in UTC.
//
// +kubebuilder:validation:Enum=Day;Week;Month;Lifetime
type BudgetPeriod string

const (
	// BudgetPeriodDay begins at 00:00.
	BudgetPeriodDay BudgetPeriod = "Day"
	// BudgetPeriodWeek begins on Monday at 00:00.
	BudgetPeriodWeek BudgetPeriod = "Week"
	// BudgetPeriodMonth begins on the first of the month at 00:00.
	BudgetPeriodMonth BudgetPeriod = "Month"
	// BudgetPeriodLifetime never begins anew.
	BudgetPeriodLifetime BudgetPeriod = "Lifetime"
)

// Amount is an amount of money in plain notation with at most twelve digits after the point: 0, 12.5, 0.00000028. It is a
// string so that no tool rounds it. Only statuses hold one; what people write is a Decimal.
//
// +kubebuilder:validation:Pattern=`^-?[0-9]{1,18}(\.[0-9]{1,12})?$`
// +kubebuilder:validation:MaxLength=32
type Amount string

// KeyLimits bound what one API key may do. Each limit for itself: unset is unlimited, 0 allows nothing.
type KeyLimits struct {
	// requestsPerMinute is how many requests are accepted in a minute; more are answered 429. Unset: unlimited. 0: none.
	//
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=10000000
	RequestsPerMinute *int64 `json:"requestsPerMinute,omitempty"`

	// tokensPerMinute is how many tokens, of prompts and answers together, are used in a minute; more are answered 429. Unset:
	// unlimited. 0: none.
	//
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1000000000
	TokensPerMinute *int64 `json:"tokensPerMinute,omitempty"`

	// concurrentRequests is how many requests run at the same time, streams until their end included; more are answered 429.
	// Unset: unlimited. 0: none.
	//
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1000000
	ConcurrentRequests *int64 `json:"concurrentRequests,omitempty"`
}

// CredentialLimits bound what is sent to a vendor with one credential, over all routes and keys. Each limit for itself: unset is
// unlimited, 0 allows nothing.
type CredentialLimits struct {
	// concurrentRequests is how many requests run at the vendor at the same time; further ones go to another target, or are
	// answered 503 overloaded. Unset: unlimited. 0: none.
	//
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1000000
	ConcurrentRequests *int64 `json:"concurrentRequests,omitempty"`

	// requestsPerMinute is how many requests are sent in a minute; further ones go to another target, or are answered 503
	// overloaded. Unset: unlimited. 0: none.
	//
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=10000000
	RequestsPerMinute *int64 `json:"requestsPerMinute,omitempty"`
}

// Budget is how much may be spent in a period. Routes without a price are refused to whoever has one.
//
// +kubebuilder:validation:XValidation:rule="!self.amount.matches('^[0-9]+([.][0-9]+)?$') || double(self.amount) <= 9000000.0",message="budget: amount must be at most 9000000; use a smaller one, or remove the budget for no bound"
type Budget struct {
	// amount that may be spent, at most 9000000. 0 allows what is free.
	//
	// +required
	Amount Decimal `json:"amount"`

	// currency of amount. Must be the currency of the instance. Unset: that one.
	//
	// +optional
	Currency Currency `json:"currency,omitempty"`

	// period is Day, Week (from Monday), Month (of the calendar), all of them in UTC, or Lifetime (never begins anew).
	//
	// +required
	Period BudgetPeriod `json:"period"`
}

// KeyConstraints cap every key of an instance. What a key asks for beyond them is not refused; the lower bound wins, and
// status.effective of the key shows it.
type KeyConstraints struct {
	// models are patterns on public model names. A key may use what its own patterns and these both match. Unset: all.
	//
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	Models []ModelGlob `json:"models,omitempty"`

	// previewModels are patterns on public names of Preview models. A key has access to those that its own patterns and these
	// both match. Unset: all. Empty: none.
	//
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=64
	PreviewModels []ModelGlob `json:"previewModels,omitzero"`

	// limits cap those of each key; a key without a limit of its own gets this one. Unset: no cap.
	//
	// +optional
	Limits *KeyLimits `json:"limits,omitempty"`

	// budget caps that of each key. For the same period the lower amount wins; budgets of different periods both hold. Unset: no
	// cap.
	//
	// +optional
	Budget *Budget `json:"budget,omitempty"`

	// namespaceBudget is what all keys of one namespace may spend together. Unset: no bound.
	//
	// +optional
	NamespaceBudget *Budget `json:"namespaceBudget,omitempty"`

	// maxKeys is how many keys of one namespace are accepted: the oldest, revoked and expired ones included. Unset: no bound.
	// 0: none.
	//
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100000
	MaxKeys *int32 `json:"maxKeys,omitempty"`
}

// KeyUsage is what a key has spent. It is computed from UsageReports and lags behind them by up to a minute.
type KeyUsage struct {
	// currency of all amounts.
	//
	// +optional
	Currency Currency `json:"currency,omitempty"`

	// day is what was spent since 00:00 UTC.
	//
	// +optional
	Day Amount `json:"day,omitempty"`

	// week is what was spent since Monday 00:00 UTC.
	//
	// +optional
	Week Amount `json:"week,omitempty"`

	// month is what was spent since the first of the month, 00:00 UTC.
	//
	// +optional
	Month Amount `json:"month,omitempty"`

	// lifetime is what was spent since the key was made, or since its usage was reset.
	//
	// +optional
	Lifetime Amount `json:"lifetime,omitempty"`

	// spent is what was spent in the period of budget; without a budget, in the calendar month.
	//
	// +optional
	Spent Amount `json:"spent,omitempty"`

	// budget is the amount and period of the budget in force of which least remains, such as 50.00/Month. Unset: there is none.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=64
	Budget string `json:"budget,omitempty"`

	// remaining is what remains of that budget; below zero if it was overdrawn. Unset: there is no budget.
	//
	// +optional
	Remaining Amount `json:"remaining,omitempty"`

	// resetsAt is when that budget begins anew. Unset: never, or there is no budget.
	//
	// +optional
	ResetsAt *metav1.Time `json:"resetsAt,omitempty"`

	// lastUsed is when the last request with this key ended. Unset: none did.
	//
	// +optional
	LastUsed *metav1.Time `json:"lastUsed,omitempty"`

	// updatedAt is when these figures were computed.
	//
	// +optional
	UpdatedAt *metav1.Time `json:"updatedAt,omitempty"`
}

// EffectiveKey is what holds for a key once the constraints of its instance are applied.
type EffectiveKey struct {
	// limits in force. Unset members are unlimited.
	//
	// +optional
	Limits *KeyLimits `json:"limits,omitempty"`

	// budgets in force, at most one for each period; all of them hold. Unset: the key may spend without bound.
	//
	// +optional
	// +listType=map
	// +listMapKey=period
	// +kubebuilder:validation:MaxItems=4
	Budgets []Budget `json:"budgets,omitempty"`

	// namespaceBudget is what all keys of the namespace may spend together. Unset: no bound.
	//
	// +optional
	NamespaceBudget *Budget `json:"namespaceBudget,omitempty"`

	// models are patterns of what the key may use. Where a pattern of the key and one of the instance must both match, they are
	// joined by " & ". Unset: all models. Empty: none. At most 128 are listed.
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=128
	Models []EffectiveGlob `json:"models,omitzero"`

	// previewModels are patterns of the Preview models that the key has access to, written like models. Unset: none.
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=128
	PreviewModels []EffectiveGlob `json:"previewModels,omitempty"`
}

// EffectiveGlob is a pattern on public model names, or two joined by " & ".
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=264
type EffectiveGlob string
