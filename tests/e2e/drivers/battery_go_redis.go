// Takes the steps of a battery with go-redis; see battery.py.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
)

const commands = 10_000 // in a pipeline

type target struct {
	transport, host, port, ca, username, password string
}

type step struct {
	name string
	take func(context.Context, *redis.Client, string) (any, error)
}

var steps = []step{
	{"binary", binary}, {"expiry", expiry}, {"transaction", transaction},
	{"watch", watch}, {"script", script}, {"stream", stream}, {"pubsub", pubsub},
	{"pipeline", pipeline}, {"config", config},
}

func main() {
	log.SetOutput(io.Discard)
	logging.Disable()
	ctx := context.Background()
	for _, transport := range []string{"tls", "plain"} {
		for _, way := range logins(transport) {
			report(transport+"-"+way.name, func() (any, error) {
				client := connect(way.target)
				defer client.Close()
				return client.Ping(ctx).Result()
			})
		}
		client := connect(to(transport, "", os.Getenv("CACHE_PRIMARY")))
		for _, each := range steps {
			report(transport+"-"+each.name, func() (any, error) {
				return each.take(ctx, client, "go-redis:"+transport+":"+each.name)
			})
		}
		client.Close()
	}
}

type login struct {
	name   string
	target target
}

func logins(transport string) []login {
	primary, secondary := os.Getenv("CACHE_PRIMARY"), os.Getenv("CACHE_SECONDARY")
	objectID, token := os.Getenv("CACHE_OBJECT_ID"), os.Getenv("CACHE_TOKEN")
	ways := []login{
		{"key", to(transport, "", primary)},
		{"default", to(transport, "default", primary)},
		{"secondary", to(transport, "", secondary)},
		{"entra", to(transport, objectID, token)},
		{"wrong-key", to(transport, "", "wrong")},
		{"wrong-token", to(transport, objectID, "wrong")},
	}
	if transport == "tls" {
		noCA, stranger := to(transport, "", primary), to(transport, "", primary)
		noCA.ca = ""
		stranger.host = os.Getenv("CACHE_STRANGER")
		ways = append(ways, login{"no-ca", noCA}, login{"stranger", stranger})
	}
	return ways
}

func to(transport, username, password string) target {
	port := os.Getenv("CACHE_PORT")
	if transport == "tls" {
		port = os.Getenv("CACHE_TLS_PORT")
	}
	host, ca := os.Getenv("CACHE_HOST"), os.Getenv("CACHE_CA")
	return target{transport, host, port, ca, username, password}
}

// A client that shows every failure at once.
func connect(to target) *redis.Client {
	options := redis.Options{
		Addr:       net.JoinHostPort(to.host, to.port),
		Username:   to.username,
		Password:   to.password,
		MaxRetries: -1,
	}
	if to.transport == "tls" {
		options.TLSConfig = &tls.Config{ServerName: to.host}
		if to.ca != "" {
			roots, err := os.ReadFile(to.ca)
			if err != nil {
				panic(err)
			}
			options.TLSConfig.RootCAs = x509.NewCertPool()
			options.TLSConfig.RootCAs.AppendCertsFromPEM(roots)
		}
	}
	return redis.NewClient(&options)
}

func report(name string, take func() (any, error)) {
	detail, err := take()
	if err != nil {
		detail = fmt.Sprintf("%T: %v", err, err)
	}
	line := map[string]any{"name": name, "ok": err == nil, "detail": detail}
	if err := json.NewEncoder(os.Stdout).Encode(line); err != nil {
		panic(err)
	}
}

func binary(ctx context.Context, client *redis.Client, key string) (any, error) {
	all := make([]byte, 256)
	for n := range all {
		all[n] = byte(n)
	}
	if err := client.Set(ctx, key+string(all), all, 0).Err(); err != nil {
		return nil, err
	}
	stored, err := client.Get(ctx, key+string(all)).Bytes()
	return hex.EncodeToString(stored), err
}

func expiry(ctx context.Context, client *redis.Client, key string) (any, error) {
	if err := client.Set(ctx, key, "value", 100*time.Second).Err(); err != nil {
		return nil, err
	}
	left, err := client.TTL(ctx, key).Result()
	return left.Seconds(), err
}

func transaction(ctx context.Context, client *redis.Client, key string) (any, error) {
	client.Del(ctx, key)
	var counts []int64
	err := client.Watch(ctx, func(tx *redis.Tx) (err error) {
		counts, err = counted(tx.TxPipelined(ctx, func(batch redis.Pipeliner) error {
			batch.Incr(ctx, key)
			batch.Incr(ctx, key)
			return nil
		}))
		return err
	}, key)
	return counts, err
}

func watch(ctx context.Context, client *redis.Client, key string) (any, error) {
	err := client.Watch(ctx, func(tx *redis.Tx) error {
		client.Incr(ctx, key)
		_, err := tx.TxPipelined(ctx, func(batch redis.Pipeliner) error {
			batch.Incr(ctx, key)
			return nil
		})
		return err
	}, key)
	if errors.Is(err, redis.TxFailedErr) {
		return nil, nil
	}
	return "carried out", err
}

func script(ctx context.Context, client *redis.Client, key string) (any, error) {
	return client.Eval(ctx, "return {#KEYS, ARGV[1]}", []string{key}, "argument").Result()
}

func stream(ctx context.Context, client *redis.Client, key string) (any, error) {
	client.Del(ctx, key)
	if err := client.XGroupCreateMkStream(ctx, key, "group", "0").Err(); err != nil {
		return nil, err
	}
	entry := redis.XAddArgs{Stream: key, Values: map[string]any{"field": "value"}}
	if err := client.XAdd(ctx, &entry).Err(); err != nil {
		return nil, err
	}
	read := redis.XReadGroupArgs{
		Group: "group", Consumer: "me", Streams: []string{key, ">"},
	}
	found, err := client.XReadGroup(ctx, &read).Result()
	if err != nil {
		return nil, err
	}
	message := found[0].Messages[0]
	acknowledged, err := client.XAck(ctx, key, "group", message.ID).Result()
	return []any{message.Values, acknowledged}, err
}

func pubsub(ctx context.Context, client *redis.Client, key string) (any, error) {
	subscription := client.Subscribe(ctx, key)
	defer subscription.Close()
	if _, err := subscription.Receive(ctx); err != nil { // that it is subscribed
		return nil, err
	}
	client.Publish(ctx, key, "message")
	received, err := subscription.ReceiveMessage(ctx)
	if err != nil {
		return nil, err
	}
	return received.Payload, nil
}

func pipeline(ctx context.Context, client *redis.Client, key string) (any, error) {
	client.Del(ctx, key)
	return counted(client.Pipelined(ctx, func(batch redis.Pipeliner) error {
		for range commands {
			batch.Incr(ctx, key)
		}
		return nil
	}))
}

func config(ctx context.Context, client *redis.Client, _ string) (any, error) {
	return client.ConfigGet(ctx, "maxmemory").Result()
}

// The answers to a batch of INCR.
func counted(answers []redis.Cmder, err error) ([]int64, error) {
	counts := make([]int64, 0, len(answers))
	for _, each := range answers {
		counts = append(counts, each.(*redis.IntCmd).Val())
	}
	return counts, err
}
