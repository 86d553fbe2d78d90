package controllers

import (
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/ledger"
	"vipcloud.ai/vipcloud/gateway/table"
)

// usageOf computes what was spent with a key.
func usageOf(ak *v1alpha1.ApiKey, instance *v1alpha1.GatewayInstance, view *ledger.View, now time.Time) *v1alpha1.KeyUsage {
	owner, reset := ak.Namespace+"/"+ak.Name, resetOf(ak)
	spent := func(period ledger.Period) v1alpha1.Amount {
		return v1alpha1.Amount(view.Spent(owner, reset, period, now).Decimal())
	}
	rules := table.CompileKeyRules(instance)
	usage := &v1alpha1.KeyUsage{
		Currency: v1alpha1.Currency(rules.Currency),
		Day:      spent(ledger.Day), Week: spent(ledger.Week), Month: spent(ledger.Month), Lifetime: spent(ledger.Lifetime),
		LastUsed: timePtr(view.LastUsed(owner)), UpdatedAt: timePtr(now),
	}
	usage.Spent = usage.Month
	if budget := tightest(budgetsOf(ak, instance, rules), view, owner, reset, now); budget != nil {
		remaining := budget.Amount
		remaining -= view.Spent(owner, reset, ledger.Period(budget.Period), now) // both are above zero
		usage.Spent = spent(ledger.Period(budget.Period))
		usage.Budget = budget.Amount.Decimal() + "/" + string(budget.Period)
		usage.Remaining = v1alpha1.Amount(remaining.Decimal())
		usage.ResetsAt = timePtr(periodEnd(v1alpha1.BudgetPeriod(budget.Period), now))
	}
	return usage
}

// budgetsOf are the budgets in force for a key. A key that no instance can accept has none.
func budgetsOf(ak *v1alpha1.ApiKey, instance *v1alpha1.GatewayInstance, rules *table.KeyRules) []table.Budget {
	key := table.CompileKey(ak, client.ObjectKeyFromObject(instance))
	if key == nil {
		return nil
	}
	applied, problem := rules.Apply(key)
	if problem != nil {
		return nil
	}
	return applied.Budgets
}

// tightest is the budget of which least remains, nil without any.
func tightest(budgets []table.Budget, view *ledger.View, owner, reset string, now time.Time) *table.Budget {
	var found *table.Budget
	for i := range budgets {
		if found == nil || remains(&budgets[i], view, owner, reset, now) < remains(found, view, owner, reset, now) {
			found = &budgets[i]
		}
	}
	return found
}

// remains is what remains of a budget, in picounits; below zero if it was overdrawn.
func remains(b *table.Budget, view *ledger.View, owner, reset string, now time.Time) int64 {
	return int64(b.Amount) - int64(view.Spent(owner, reset, ledger.Period(b.Period), now))
}

// periodEnd is when the period that a time lies in ends, in UTC; zero for a lifetime. Weeks begin on Monday.
func periodEnd(p v1alpha1.BudgetPeriod, at time.Time) time.Time {
	at = at.UTC()
	day := time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, time.UTC)
	switch p {
	case v1alpha1.BudgetPeriodDay:
		return day.AddDate(0, 0, 1)
	case v1alpha1.BudgetPeriodWeek:
		return day.AddDate(0, 0, 7-(int(at.Weekday())+6)%7)
	case v1alpha1.BudgetPeriodMonth:
		return time.Date(at.Year(), at.Month()+1, 1, 0, 0, 0, 0, time.UTC)
	case v1alpha1.BudgetPeriodLifetime:
	}
	return time.Time{}
}
