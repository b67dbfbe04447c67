// Looking on at two processes that talk to each other.
#include <amphibus/zeromq/observer.hpp>

#include "bus_pair.hpp"

#include <catch2/catch.hpp>

#include <csignal>
#include <thread>

#include <sys/wait.h>
#include <unistd.h>

#include <zmq.hpp>

#include "control.hpp"

using namespace amphibus;
using namespace zeromq_test;
using namespace std::chrono_literals;
using zeromq::observation;
using zeromq::observed_message;

namespace zeromq_test {
/// Large, so that few of them fill whatever holds them.
struct block {};
inline constexpr std::size_t block_size_bytes = 16U << 10U;
}  // namespace zeromq_test

template <>
struct amphibus::codec<block> {
  static constexpr std::string_view type_name = "test.block";
  static constexpr std::uint16_t major = 1;
  static constexpr std::uint64_t schema_hash = 3;
  static bool encode(const block&, wire::byte_writer& out) {
    std::memset(out.extend(block_size_bytes), 7, block_size_bytes);
    return true;
  }
  static bool decode(std::span<const std::byte> bytes, block&) { return bytes.size() == block_size_bytes; }
};

namespace {

constexpr topic<block> blocks{"test.blocks"};

zeromq::observer_options look_at(const config::configuration& file, const std::string& pattern = ">") {
  zeromq::observer_options out;
  out.pattern = pattern;
  for (const auto& each : file.processes) out.processes.push_back({each.name, each.endpoint.value});
  return out;
}

bool ignore(const observed_message&) { return true; }

observation state_of(const zeromq::observer& from, std::size_t process) { return from.processes()[process].state; }

void run_until(zeromq::observer& from, const std::function<bool()>& until) {
  while (!until()) from.run_once(20ms, -1, ignore);
}

void publish(placed_bus& from, std::uint64_t value) {
  while (from.bus.publish(numbers, {value}) != publish_status::accepted) {
  }
}

struct pair {
  explicit pair(const zeromq::options& with = {}) : a(file, "a", with), b(file, "b", with) {
    sub.emplace(b.bus.subscribe(numbers, [this](const number& n) { seen.change([&] { last = n.value; }); }));
    make_ready({&a, &b});
  }
  void wait_for(std::uint64_t value) {
    seen.wait([&] { return last == value; });
  }

  config::configuration file = file_of(2);
  watched seen;
  std::uint64_t last = 0;
  placed_bus a;
  placed_bus b;
  std::optional<subscription> sub;
};

/// A process that observes until it is killed; forked before this one has threads.
class observing_process {
 public:
  explicit observing_process(const config::configuration& file) {
    REQUIRE(::pipe(watching_) == 0);
    pid_ = ::fork();
    if (pid_ == 0) observe(file);
  }
  ~observing_process() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    for (const int each : watching_) ::close(each);
  }
  observing_process(const observing_process&) = delete;
  observing_process& operator=(const observing_process&) = delete;
  void wait_until_it_saw_one() const {
    char byte = 0;
    REQUIRE(::read(watching_[0], &byte, 1) == 1);
  }
  void stop() const {
    int status = 0;
    ::kill(pid_, SIGSTOP);
    ::waitpid(pid_, &status, WUNTRACED);
  }

 private:
  [[noreturn]] void observe(const config::configuration& file) const {
    zeromq::observer from(look_at(file));
    bool told = false;
    for (;;) {
      from.run_once(20ms, -1, [this, &told](const observed_message&) {
        return std::exchange(told, true) || ::write(watching_[1], "w", 1) == 1;
      });
    }
  }

  int watching_[2]{};
  pid_t pid_ = -1;
};

/// The control endpoint of a process that answers an observer what a test wants.
class scripted_process {
 public:
  explicit scripted_process(const std::string& endpoint) {
    router_.set(zmq::sockopt::linger, 0);
    router_.bind(endpoint);
  }
  void wait_until_asked() {
    zmq::message_t asked;
    REQUIRE(router_.recv(id_));
    REQUIRE(router_.recv(asked));
  }
  void answer(const zeromq::control_body& body) {
    const auto bytes = zeromq::encode({9, body});
    answer(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  }
  void answer(std::string_view bytes) {
    router_.send(zmq::buffer(id_.data(), id_.size()), zmq::send_flags::sndmore);
    router_.send(zmq::buffer(bytes), zmq::send_flags::none);
  }

 private:
  zmq::context_t context_;
  zmq::socket_t router_{context_, zmq::socket_type::router};
  zmq::message_t id_;
};

}  // namespace

TEST_CASE("observer: it sees what leaves a process, with type, number and identity", "[zeromq]") {
  pair two;
  zeromq::observer from(look_at(two.file));
  run_until(from, [&] { return state_of(from, 0) == observation::watching; });
  std::uint64_t number_seen = 0;
  for (std::uint64_t i = 1; number_seen == 0; ++i) {
    publish(two.a, i);
    from.run_once(20ms, -1, [&](const observed_message& each) {
      CHECK(each.process == "a");
      CHECK(each.topic == "test.numbers");
      CHECK(each.type_name == "test.number");
      CHECK(each.payload.size() == 8);
      CHECK(each.with.correlation == each.with.id);
      std::memcpy(&number_seen, each.payload.data(), 8);
      CHECK(each.number == number_seen);
      return false;
    });
  }
  CHECK(from.processes()[0].messages == 1);
}

TEST_CASE("observer: a pattern that does not cover the topic sees nothing of it", "[zeromq]") {
  pair two;
  zeromq::observer all(look_at(two.file));
  zeromq::observer none(look_at(two.file, "test.*.deep"));
  run_until(none, [&] { return state_of(none, 0) == observation::watching; });
  run_until(all, [&] { return state_of(all, 0) == observation::watching; });
  for (std::uint64_t i = 1; all.processes()[0].messages == 0; ++i) {
    publish(two.a, i);
    all.run_once(20ms, -1, ignore);
    none.run_once(0ms, -1, ignore);
  }
  CHECK(none.processes()[0].messages == 0);
}

TEST_CASE("observer: a pattern that breaks the grammar and an endpoint that is none are errors", "[zeromq]") {
  const auto file = file_of(1);
  CHECK_THROWS_WITH(zeromq::observer(look_at(file, "a..b")), Catch::Contains("AMB-E0101"));
  auto strange = look_at(file);
  strange.processes[0].endpoint = "http://x";
  CHECK_THROWS_WITH(zeromq::observer(strange), Catch::Contains("AMB-E0302"));
}

TEST_CASE("observer: one more than a process takes is refused by name, until another leaves", "[zeromq]") {
  pair two({.observers_max = 1});
  std::optional<zeromq::observer> first(look_at(two.file));
  run_until(*first, [&] { return state_of(*first, 0) == observation::watching; });
  zeromq::observer second(look_at(two.file));
  run_until(second, [&] { return state_of(second, 0) == observation::refused; });
  const auto why = second.processes()[0].refusal;
  REQUIRE(why);
  CHECK(why->code() == error_code::observer_refused);
  CHECK_THAT(why->what(), Catch::Contains("process 'a' takes 1 observers"));
  first.reset();
  for (bool admitted = false; !admitted;) {
    zeromq::observer third(look_at(two.file));
    run_until(third, [&] { return state_of(third, 0) != observation::asked; });
    admitted = state_of(third, 0) == observation::watching;
  }
}

TEST_CASE("observer: nobody waits for one, and its end harms nobody", "[zeromq]") {
  const auto file = file_of(2);
  placed_bus a(file, "a");
  placed_bus b(file, "b");
  std::optional<zeromq::observer> from(look_at(file));  // before there is anybody
  make_ready({&a, &b});
  run_until(*from, [&] { return state_of(*from, 0) == observation::watching; });
  from.reset();
  watched seen;
  bool there = false;
  auto sub = b.bus.subscribe(numbers, [&](const number&) { seen.change([&] { there = true; }); });
  publish(a, 1);
  seen.wait([&] { return there; });
  CHECK(a.count_of(event_kind::peer_connected) == 1);
  CHECK(a.count_of(event_kind::rejected_input) == 0);
}

TEST_CASE("observer: a process that says goodbye has ended, one that was never there is silent", "[zeromq]") {
  const auto file = file_of(3);
  auto two = file;
  two.processes.pop_back();
  std::optional<placed_bus> a(std::in_place, two, "a");
  placed_bus b(two, "b");
  make_ready({&*a, &b});
  auto with = look_at(file);
  with.silence_max = 2s;
  zeromq::observer from(with);
  run_until(from, [&] { return state_of(from, 0) == observation::watching; });
  run_until(from, [&] { return state_of(from, 2) == observation::silent; });
  a->bus.close();
  run_until(from, [&] { return state_of(from, 0) == observation::ended; });
}

TEST_CASE("observer: an answer behind a goodbye does not bring the process back", "[zeromq]") {
  const auto file = file_of(1);
  scripted_process a(file.processes[0].endpoint.value);
  zeromq::observer from(look_at(file));
  a.wait_until_asked();
  const zeromq::observed yes{"a", file.processes[0].endpoint.value + ".tap0"};
  a.answer(yes);
  a.answer(zeromq::bye{});
  a.answer(yes);
  a.answer(zeromq::reject{304, "behind everything"});
  run_until(from,
            [&] { return state_of(from, 0) != observation::asked && state_of(from, 0) != observation::watching; });
  run_until(from, [calls = 0]() mutable { return ++calls == 5; });
  CHECK(state_of(from, 0) == observation::ended);
}

TEST_CASE("observer: garbage for an answer leaves it where it was", "[zeromq]") {
  const auto file = file_of(1);
  scripted_process a(file.processes[0].endpoint.value);
  zeromq::observer from(look_at(file));
  a.wait_until_asked();
  a.answer(std::string_view("nonsense"));
  a.answer(zeromq::hello{});
  a.answer(zeromq::observed{"a", "http://nowhere"});
  run_until(from, [&] { return state_of(from, 0) == observation::refused; });
  CHECK_THAT(from.processes()[0].refusal->what(), Catch::Contains("AMB-E0302") && Catch::Contains("http://nowhere"));
}

TEST_CASE("observer: a stopped one loses messages, and slows and blocks nobody on a route that blocks", "[zeromq]") {
  constexpr std::uint64_t many = 4'000;  // 64 MiB, several times what is kept for an observer
  const auto file = file_of(2);
  const observing_process stranger(file);
  placed_bus a(file, "a");
  placed_bus b(file, "b");
  watched seen;
  std::uint64_t handled = 0;
  auto sub = b.bus.subscribe(blocks, [&](const block&) { seen.change([&] { ++handled; }); });
  make_ready({&a, &b});
  std::uint64_t sent = 0;
  const auto publish_one = [&] {
    while (a.bus.publish(blocks, {}) != publish_status::accepted) {
    }
    ++sent;
  };
  std::jthread feeding([&](const std::stop_token& enough) {
    while (!enough.stop_requested()) publish_one();
  });
  stranger.wait_until_it_saw_one();
  feeding.request_stop();
  feeding.join();
  stranger.stop();
  const std::uint64_t before = sent;
  while (sent != before + many) publish_one();
  seen.wait([&] { return handled == sent; });
  CHECK(b.count_of(event_kind::gap) == 0);
  CHECK(a.count_of(event_kind::peer_stalled) == 0);
}
