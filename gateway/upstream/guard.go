package upstream

import (
	"fmt"
	"net/netip"
	"syscall"

	"vipcloud.ai/vipcloud/gateway/table"
)

// guard refuses connections by the address that a name resolved to, so that no DNS answer can lead where the credential's
// endpoint itself may not.
func guard(allowPrivate bool) func(network, address string, _ syscall.RawConn) error {
	return func(_, address string, _ syscall.RawConn) error {
		ap, err := netip.ParseAddrPort(address)
		if err != nil {
			return fmt.Errorf("reading address: %w", err)
		}
		return table.CheckAddr(ap.Addr(), allowPrivate)
	}
}
