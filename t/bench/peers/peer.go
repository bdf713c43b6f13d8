// A row by its key, from PostgreSQL and from memcached:
// peer PORT POSTGRES_DIRECTORY POSTGRES_PORT MEMCACHED_PORT

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
	"strconv"
	"strings"

	"github.com/bradfitz/gomemcache/memcache"
	"github.com/jackc/pgx/v4/pgxpool"
)

type row struct {
	ID   int64  `json:"id"`
	Body string `json:"body"`
}

// A client of this library keeps two idle connections and closes the others:
// each request has one to itself.
var clients = make(chan *memcache.Client, 64)

var pool *pgxpool.Pool

func main() {
	var err error

	pool, err = pgxpool.Connect(context.Background(), fmt.Sprintf(
		"host=%s port=%s user=api dbname=app pool_max_conns=16",
		os.Args[2], os.Args[3]))
	if err != nil {
		log.Fatal(err)
	}

	for i := 0; i < cap(clients); i++ {
		clients <- memcache.New("127.0.0.1:" + os.Args[4])
	}

	http.HandleFunc("/rows/", database)
	http.HandleFunc("/cached/", cached)
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Args[1], nil))
}

func database(w http.ResponseWriter, r *http.Request) {
	var answer row

	id, err := strconv.ParseInt(strings.TrimPrefix(r.URL.Path, "/rows/"), 10, 64)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}

	err = pool.QueryRow(r.Context(), "SELECT id, body FROM bench WHERE id = $1",
		id).Scan(&answer.ID, &answer.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}

	body, err := json.Marshal(answer)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}

	send(w, body)
}

func cached(w http.ResponseWriter, r *http.Request) {
	client := <-clients
	item, err := client.Get("row" + strings.TrimPrefix(r.URL.Path, "/cached/"))
	clients <- client

	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}

	send(w, item.Value)
}

func send(w http.ResponseWriter, body []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.Write(body)
}
