// gorilla/websocket as its users write it: ReadMessage and WriteMessage, a goroutine per connection; for topics a prepared message.
package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"

	"github.com/gorilla/websocket"
)

var upgrader = websocket.Upgrader{ReadBufferSize: 4096, WriteBufferSize: 4096}

type subscriber struct {
	sending sync.Mutex
	socket  *websocket.Conn
}

type topic struct {
	guard       sync.RWMutex
	subscribers map[*subscriber]struct{}
}

var (
	guard  sync.Mutex
	topics = map[string]*topic{}
)

func main() {
	http.HandleFunc("/echo", echo)
	http.HandleFunc("/topic/", publish)
	listener, err := net.Listen("tcp", "127.0.0.1:"+os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("ready")
	http.Serve(listener, nil)
}

func echo(response http.ResponseWriter, request *http.Request) {
	socket, err := upgrader.Upgrade(response, request, nil)
	if err != nil {
		return
	}
	defer socket.Close()
	for {
		kind, message, err := socket.ReadMessage()
		if err != nil || socket.WriteMessage(kind, message) != nil {
			return
		}
	}
}

func publish(response http.ResponseWriter, request *http.Request) {
	socket, err := upgrader.Upgrade(response, request, nil)
	if err != nil {
		return
	}
	defer socket.Close()
	own := &subscriber{socket: socket}
	topic := join(strings.TrimPrefix(request.URL.Path, "/topic/"), own)
	defer topic.leave(own)
	for {
		kind, message, err := socket.ReadMessage()
		if err != nil {
			return
		}
		prepared, err := websocket.NewPreparedMessage(kind, message)
		if err != nil {
			return
		}
		topic.send(prepared)
	}
}

func join(name string, own *subscriber) *topic {
	guard.Lock()
	defer guard.Unlock()
	found := topics[name]
	if found == nil {
		found = &topic{subscribers: map[*subscriber]struct{}{}}
		topics[name] = found
	}
	found.guard.Lock()
	defer found.guard.Unlock()
	found.subscribers[own] = struct{}{}
	return found
}

func (t *topic) leave(own *subscriber) {
	t.guard.Lock()
	defer t.guard.Unlock()
	delete(t.subscribers, own)
}

// One writer at a time is what a connection allows; a failed one ends with its own loop.
func (t *topic) send(message *websocket.PreparedMessage) {
	t.guard.RLock()
	defer t.guard.RUnlock()
	for each := range t.subscribers {
		each.sending.Lock()
		each.socket.WritePreparedMessage(message)
		each.sending.Unlock()
	}
}
