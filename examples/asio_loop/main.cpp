// A bus joins Asio: sockets and the handlers of a topic are served by one io_context, in one thread.
#include <amphibus/bus.hpp>

#include <asio.hpp>

#include <cstdio>
#include <string>

namespace {

struct question {
  std::string item;  ///< empty: the client has no more
};
struct answer {
  std::string text;  ///< empty: to the last question
};
constexpr amphibus::topic<question> questions{"desk.questions"};
constexpr amphibus::topic<answer> answers{"desk.answers"};

using stream = asio::local::stream_protocol::socket;

/// Runs a loop's handlers inside an io_context, when there is work and never otherwise.
class loop_service {
 public:
  loop_service(asio::io_context& in, amphibus::loop& of) : descriptor_(in, of.fd()), loop_(of) { wait(); }
  ~loop_service() { stop(); }
  loop_service(const loop_service&) = delete;
  loop_service& operator=(const loop_service&) = delete;

  /// Gives the descriptor back: it is the loop's, not ours to close.
  void stop() {
    if (descriptor_.is_open()) descriptor_.release();
  }

 private:
  void wait() {
    descriptor_.async_wait(asio::posix::stream_descriptor::wait_read, [this](const asio::error_code& failed) {
      if (failed) return;
      loop_.run_once();
      if (descriptor_.is_open()) wait();
    });
  }

  asio::posix::stream_descriptor descriptor_;
  amphibus::loop& loop_;
};

/// Publishes every line that comes in, and an empty one at the end.
void read_lines(stream& from, std::string& buffer, amphibus::bus& to) {
  asio::async_read_until(from, asio::dynamic_buffer(buffer), '\n', [&](const asio::error_code& end, std::size_t size) {
    to.publish(questions, {end ? "" : buffer.substr(0, size - 1)});
    if (end) return;
    buffer.erase(0, size);
    read_lines(from, buffer, to);
  });
}

}  // namespace

int main() {
  asio::io_context io;
  stream client(io);
  stream desk(io);
  asio::local::connect_pair(client, desk);

  amphibus::bus bus;
  amphibus::loop here;
  loop_service service(io, here);
  // Answers are found on the bus's thread and written on ours.
  auto clerk = bus.subscribe(questions, [&](const question& q) {
    bus.publish(answers, {q.item.empty() ? "" : q.item + (q.item == "tea" ? ": 180 p\n" : ": not today\n")});
  });
  auto writer = bus.subscribe(answers, {.on = here}, [&](const answer& a) {
    if (!a.text.empty()) return void(asio::write(desk, asio::buffer(a.text)));
    desk.close();
    service.stop();  // nothing is left to wait for: io.run() returns
  });

  asio::write(client, asio::buffer(std::string("tea\nscones\ntea\n")));
  client.shutdown(stream::shutdown_send);
  std::string pending;
  read_lines(desk, pending, bus);
  io.run();

  std::string heard;
  asio::error_code end;
  asio::read(client, asio::dynamic_buffer(heard), end);
  std::fputs(heard.c_str(), stdout);
}
