// Load for the speed test: claims as fast as they go, and the bare limit, which is the same three writes for each claim
// without any thinking.
package main

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

var (
	server    = flag.String("server", "", "URL of the API server")
	token     = flag.String("token", "", "bearer token")
	namespace = flag.String("namespace", "default", "namespace")
	pool      = flag.String("pool", "p", "pool")
	count     = flag.Int("count", 500, "claims")
	first     = flag.Int("first", 0, "number of the first claim")
	streams   = flag.Int("streams", 32, "calls in flight")
	mode      = flag.String("mode", "claims", "claims: create and wait until bound; waiting: make the pool of claims that wait; create: create only; bare: the three writes; single: one after the other; bare-single: so, by the writes alone")
	client    = &http.Client{Transport: &http.Transport{
		TLSClientConfig:     &tls.Config{InsecureSkipVerify: true},
		ForceAttemptHTTP2:   true,
		MaxIdleConnsPerHost: 256,
	}}
)

const group = "/apis/ipam.metal3.io/v1alpha1/namespaces/"

func call(method, path, kind string, body any) map[string]any {
	var reader io.Reader
	if body != nil {
		text, _ := json.Marshal(body)
		reader = bytes.NewReader(text)
	}
	request, err := http.NewRequest(method, *server+path, reader)
	if err != nil {
		panic(err)
	}
	request.Header.Set("Authorization", "Bearer "+*token)
	// Who writes is recorded in the object: a controller is not who made the claims.
	request.Header.Set("User-Agent", "load-"+*mode)
	if kind != "" {
		request.Header.Set("Content-Type", kind)
	}
	answer, err := client.Do(request)
	if err != nil {
		panic(err)
	}
	defer answer.Body.Close()
	text, _ := io.ReadAll(answer.Body)
	if answer.StatusCode > 299 {
		fmt.Fprintln(os.Stderr, method, path, answer.Status, string(text))
		os.Exit(1)
	}
	var object map[string]any
	json.Unmarshal(text, &object)
	return object
}

func name(number int) string { return fmt.Sprintf("claim-%05d", number) }

func address(number int) string {
	return fmt.Sprintf("10.%d.%d.%d", number>>16, number>>8&255, number&255)
}

func create(number int) {
	call("POST", group+*namespace+"/ipclaims", "application/json", map[string]any{
		"apiVersion": "ipam.metal3.io/v1alpha1", "kind": "IPClaim",
		"metadata": map[string]any{"name": name(number)},
		"spec":     map[string]any{"pool": map[string]any{"name": *pool}},
	})
}

func metadata(object map[string]any) map[string]any { return object["metadata"].(map[string]any) }

// The writes that any controller makes for a claim: finalizer, address with its owners, status, each on the condition of the
// version that was read.
func bare(number int, owner map[string]any) {
	claim := group + *namespace + "/ipclaims/" + name(number)
	merge := "application/merge-patch+json"
	stored := call("PATCH", claim, merge, map[string]any{"metadata": map[string]any{"finalizers": []string{"ipclaim.ipam.metal3.io"}}})
	reference := func(kind, name string, uid any) map[string]any {
		return map[string]any{"apiVersion": "ipam.metal3.io/v1alpha1", "kind": kind, "name": name, "uid": uid}
	}
	call("POST", group+*namespace+"/ipaddresses", "application/json", map[string]any{
		"apiVersion": "ipam.metal3.io/v1alpha1", "kind": "IPAddress",
		"metadata": map[string]any{
			"name": fmt.Sprintf("bare-%05d", number), "finalizers": []string{"ipaddress.ipam.metal3.io"},
			"ownerReferences": []any{
				reference("IPPool", *pool, metadata(owner)["uid"]),
				reference("IPClaim", name(number), metadata(stored)["uid"]),
			},
		},
		"spec": map[string]any{
			"address": address(number), "prefix": 8,
			"claim": map[string]any{"name": name(number), "namespace": *namespace},
			"pool":  map[string]any{"name": *pool, "namespace": *namespace},
		},
	})
	call("PATCH", claim+"/status", merge, map[string]any{
		"metadata": map[string]any{"resourceVersion": metadata(stored)["resourceVersion"]},
		"status": map[string]any{
			"address": map[string]any{"name": fmt.Sprintf("bare-%05d", number), "namespace": *namespace},
		},
	})
}

func parallel(streams int, each func(int)) {
	var next atomic.Int64
	var group sync.WaitGroup
	for range streams {
		group.Add(1)
		go func() {
			defer group.Done()
			for {
				number := int(next.Add(1)) - 1
				if number >= *count {
					return
				}
				each(*first + number)
			}
		}()
	}
	group.Wait()
}

// Follows the claims and tells when each is bound.
func watch(ready chan<- bool, bound func(string, time.Time)) {
	list := call("GET", group+*namespace+"/ipclaims?limit=1", "", nil)
	version := list["metadata"].(map[string]any)["resourceVersion"].(string)
	path := group + *namespace + "/ipclaims?watch=true&resourceVersion=" + version
	request, _ := http.NewRequest("GET", *server+path, nil)
	request.Header.Set("Authorization", "Bearer "+*token)
	answer, err := client.Do(request)
	if err != nil {
		panic(err)
	}
	ready <- true
	events := json.NewDecoder(answer.Body)
	for {
		var event struct {
			Object struct {
				Metadata struct{ Name string }
				Status   struct{ Address struct{ Name string } }
			}
		}
		if err := events.Decode(&event); err != nil {
			fmt.Fprintln(os.Stderr, "the watch of the claims ended:", err)
			os.Exit(1)
		}
		if event.Object.Status.Address.Name != "" {
			bound(event.Object.Metadata.Name, time.Now())
		}
	}
}

func main() {
	flag.Parse()
	switch *mode {
	case "create":
		parallel(*streams, create)
	case "bare":
		owner := call("GET", group+*namespace+"/ippools/"+*pool, "", nil)
		began := time.Now()
		parallel(*streams, func(number int) { bare(number, owner) })
		fmt.Printf("%.1f\n", float64(*count)/time.Since(began).Seconds())
	case "claims":
		fmt.Printf("%.1f\n", untilBound(func() { parallel(4, create) }))
	case "waiting":
		fmt.Printf("%.1f\n", untilBound(createPool))
	case "single":
		ready := make(chan bool)
		times := make(chan time.Time, 16)
		go watch(ready, func(_ string, at time.Time) { times <- at })
		<-ready
		var all []time.Duration
		for number := range *count {
			began := time.Now()
			create(*first + number)
			all = append(all, (<-times).Sub(began))
			time.Sleep(20 * time.Millisecond)
		}
		summarise(all)
	case "bare-single":
		owner := call("GET", group+*namespace+"/ippools/"+*pool, "", nil)
		indexes := map[string]any{}
		for number := range *first {
			indexes[name(number)] = address(number)
		}
		owner = promise(owner, indexes)
		var all []time.Duration
		for number := range *count {
			began := time.Now()
			create(*first + number)
			indexes[name(*first+number)] = address(*first + number)
			owner = promise(owner, indexes)
			bare(*first+number, owner)
			all = append(all, time.Since(began))
			time.Sleep(20 * time.Millisecond)
		}
		summarise(all)
	}
}

// The rate at which claims come to show their addresses, from the begin of what brings them on.
func untilBound(begin func()) float64 {
	done := make(chan bool)
	ready := make(chan bool)
	seen := map[string]bool{}
	go watch(ready, func(name string, _ time.Time) {
		seen[name] = true
		if len(seen) == *count {
			close(done)
		}
	})
	<-ready
	began := time.Now()
	begin()
	<-done
	return float64(*count) / time.Since(began).Seconds()
}

func createPool() {
	call("POST", group+*namespace+"/ippools", "application/json", map[string]any{
		"apiVersion": "ipam.metal3.io/v1alpha1", "kind": "IPPool",
		"metadata": map[string]any{"name": *pool},
		"spec": map[string]any{
			"pools":  []any{map[string]any{"start": "10.0.0.0", "end": "10.0.255.255"}},
			"prefix": 8, "namePrefix": "p",
		},
	})
}

// The write of the pool's status that makes a claim's address its own.
func promise(owner map[string]any, indexes map[string]any) map[string]any {
	return call("PUT", group+*namespace+"/ippools/"+*pool+"/status", "application/json", map[string]any{
		"apiVersion": "ipam.metal3.io/v1alpha1", "kind": "IPPool",
		"metadata": map[string]any{"name": *pool, "resourceVersion": metadata(owner)["resourceVersion"]},
		"status":   map[string]any{"indexes": indexes, "lastUpdated": time.Now().UTC().Format(time.RFC3339)},
	})
}

// Prints the mean, the worst and how many took more than 50 ms.
func summarise(all []time.Duration) {
	var sum, worst time.Duration
	slow := 0
	for _, one := range all {
		sum += one
		worst = max(worst, one)
		if one > 50*time.Millisecond {
			slow++
		}
	}
	milliseconds := func(one time.Duration) float64 { return float64(one.Microseconds()) / 1000 }
	fmt.Printf("%.1f %.1f %d\n", milliseconds(sum)/float64(len(all)), milliseconds(worst), slow)
}
