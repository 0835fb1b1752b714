// A vCenter for tests: govmomi's simulator with one template, `image`. Each VM that runs reports the addresses that its own
// metadata names, as cloud-init would set them. Prints where it listens, then a line for each VM that starts, and TWICE where
// two that run have one address.
package main

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"flag"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/vmware/govmomi"
	"github.com/vmware/govmomi/object"
	pbm "github.com/vmware/govmomi/pbm/simulator"
	"github.com/vmware/govmomi/simulator"
	_ "github.com/vmware/govmomi/vapi/cluster/simulator"
	_ "github.com/vmware/govmomi/vapi/simulator"
	"github.com/vmware/govmomi/vim25/types"
)

var (
	listen = flag.String("listen", "127.0.0.1:0", "where to listen")
	quoted = regexp.MustCompile(`- "?([0-9a-fA-F.:]+)/\d+"?`)
)

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// The addresses in the guest's metadata, in the form that the provider writes.
func addresses(vm *simulator.VirtualMachine) []string {
	for _, option := range vm.Config.ExtraConfig {
		value := option.GetOptionValue()
		if value.Key != "guestinfo.metadata" {
			continue
		}
		text, err := base64.StdEncoding.DecodeString(fmt.Sprint(value.Value))
		must(err)
		part := string(text)
		if at := strings.Index(part, "addresses:"); at >= 0 {
			part = part[at:]
		}
		var found []string
		for _, match := range quoted.FindAllStringSubmatch(part, -1) {
			found = append(found, match[1])
		}
		return found
	}
	return nil
}

func network(vm *simulator.VirtualMachine, found []string) []types.GuestNicInfo {
	for _, device := range vm.Config.Hardware.Device {
		if card, ok := device.(types.BaseVirtualEthernetCard); ok {
			return []types.GuestNicInfo{{
				Network: "VM Network", MacAddress: card.GetVirtualEthernetCard().MacAddress, Connected: true,
				IpAddress: found, DeviceConfigId: card.GetVirtualEthernetCard().Key,
			}}
		}
	}
	return nil
}

func main() {
	flag.Parse()
	model := simulator.VPX()
	// The oldest that the provider takes.
	model.ServiceContent.About.Version = "7.0.0"
	model.Machine = 1
	must(model.Create())
	model.Service.RegisterSDK(pbm.New())
	where, err := url.Parse("https://user:pass@" + *listen + "/sdk")
	must(err)
	model.Service.Listen = where
	model.Service.TLS = new(tls.Config)
	model.Service.RegisterEndpoints = true
	server := model.Service.NewServer()
	fmt.Println("listens", server.URL.Host)

	inner := model.Service.Context
	image := inner.Map.Any("VirtualMachine").(*simulator.VirtualMachine)
	prepare(server.URL, image)
	known := map[string]string{}
	for ; ; time.Sleep(100 * time.Millisecond) {
		runs := map[string]string{}
		for _, entity := range inner.Map.All("VirtualMachine") {
			vm := entity.(*simulator.VirtualMachine)
			inner.WithLock(vm, func() { look(inner, vm, runs, known) })
		}
		for name := range known {
			if runs[known[name]] != name {
				fmt.Println("stopped", name, known[name])
				delete(known, name)
			}
		}
	}
}

// Makes a machine of the model the template of all others.
func prepare(where *url.URL, image *simulator.VirtualMachine) {
	background := context.Background()
	client, err := govmomi.NewClient(background, where, true)
	must(err)
	vm := object.NewVirtualMachine(client.Client, image.Reference())
	task, err := vm.PowerOff(background)
	must(err)
	must(task.Wait(background))
	task, err = vm.Rename(background, "image")
	must(err)
	must(task.Wait(background))
	must(vm.MarkAsTemplate(background))
}

func look(inner *simulator.Context, vm *simulator.VirtualMachine, runs, known map[string]string) {
	if vm.Runtime.PowerState != types.VirtualMachinePowerStatePoweredOn {
		return
	}
	found := addresses(vm)
	for _, address := range found {
		if other := runs[address]; other != "" {
			fmt.Println("TWICE", address, other, vm.Name)
		}
		runs[address] = vm.Name
	}
	if len(found) == 0 || known[vm.Name] == found[0] {
		return
	}
	fmt.Println("runs", vm.Name, strings.Join(found, " "))
	known[vm.Name] = found[0]
	inner.Update(vm, []types.PropertyChange{
		{Name: "guest.net", Val: network(vm, found)},
		{Name: "guest.ipAddress", Val: found[0]},
	})
}
