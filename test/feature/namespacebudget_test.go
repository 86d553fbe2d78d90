package feature_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/test/sim"
)

// TestBudget_ofANamespaceHoldsWhenAllItsKeysAskAtOnce: what the keys of a namespace spend together is bounded however many of them ask
// at the same time; another namespace has a budget of its own.
func TestBudget_ofANamespaceHoldsWhenAllItsKeysAskAtOnce(t *testing.T) {
	const keys, asked, affordable = 4, 10, 7
	e := newEnv(t)
	each := v1alpha1.Decimal("0.10")
	e.route("m", "deepseek-v4-pro", "deepseek").Spec.Pricing = &v1alpha1.Pricing{Currency: "USD", Prices: v1alpha1.Prices{PerRequest: &each}}
	e.input.Instance.Spec.Serves = &v1alpha1.Serves{Keys: &v1alpha1.ServedKeys{
		Constraints: &v1alpha1.KeyConstraints{NamespaceBudget: budget("0.75")},
	}}
	e.apply()
	name := func(i int) string { return fmt.Sprintf("vc-sk-%040d", i) }
	for i := range keys {
		e.key(shop, fmt.Sprintf("k%d", i), name(i), nil)
	}
	e.key("bank", "k", otherKey, nil)

	var mu sync.Mutex
	var wg sync.WaitGroup
	statuses, refusal := map[int]int{}, ""
	for i := range keys * asked {
		wg.Go(func() {
			resp := e.do("POST", "/v1/chat/completions", chat("m", "hello"), "Authorization", "Bearer "+name(i%keys))
			body, _ := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			mu.Lock()
			defer mu.Unlock()
			if statuses[resp.StatusCode]++; resp.StatusCode == http.StatusPaymentRequired {
				refusal = string(body)
			}
		})
	}
	wg.Wait()
	if statuses[http.StatusOK] != affordable || statuses[http.StatusPaymentRequired] != keys*asked-affordable {
		t.Errorf("answers by status: %v, want %d served and the rest refused", statuses, affordable)
	}
	if n := len(e.ledger(sim.DeepSeek)); n != affordable {
		t.Errorf("the vendor was called %d times, want %d", n, affordable)
	}
	if !strings.Contains(refusal, "all keys of this namespace together") {
		t.Errorf("the refusal does not say whose budget it is: %s", refusal)
	}
	if resp := e.do("POST", "/v1/chat/completions", chat("m", "hello"), "Authorization", "Bearer "+otherKey); resp.StatusCode != http.StatusOK {
		t.Errorf("another namespace is answered %d", resp.StatusCode)
	}
}
