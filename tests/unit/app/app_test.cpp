// Whole programs, each in a child of its own: exit codes and what they print.
#include <amphibus/app.hpp>
#include <amphibus/receiver.hpp>

#include <catch2/catch.hpp>

#include <chrono>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace amphibus;
using Catch::Contains;

namespace {

struct outcome {
  int exit_code = -1;
  std::string printed;  // both streams
};

/// A transport that no route uses.
class idle_transport final : public transport::transport {
 public:
  [[nodiscard]] std::string_view name() const noexcept override { return "idle"; }
  [[nodiscard]] amphibus::transport::capabilities capabilities() const override { return {}; }
  [[nodiscard]] std::vector<error> check(const amphibus::transport::settings&) const override { return {}; }
  [[nodiscard]] result<std::unique_ptr<amphibus::transport::session>> open(amphibus::transport::settings,
                                                                           amphibus::transport::host&) override {
    return error(error_code::endpoint_invalid, "no route uses it", "nothing");
  }
};

/// Runs a program with these modules in a child of fork().
outcome run(const std::vector<std::string>& arguments, void (*add_modules)(app&)) {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  std::fflush(nullptr);  // or the child prints it again
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(ends[1], STDOUT_FILENO);
    ::dup2(ends[1], STDERR_FILENO);
    ::close(ends[0]);
    std::vector<std::string> words{"program"};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> argv;
    for (auto& each : words) argv.push_back(each.data());
    argv.push_back(nullptr);
    int code = 99;
    {
      app program(static_cast<int>(words.size()), argv.data());
      add_modules(program);
      code = program.run();
    }
    std::fflush(nullptr);
    ::_exit(code);
  }
  ::close(ends[1]);
  outcome out;
  char buffer[512];
  for (ssize_t size = 0; (size = ::read(ends[0], buffer, sizeof buffer)) > 0;) {
    out.printed.append(buffer, static_cast<std::size_t>(size));
  }
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  out.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
  return out;
}

}  // namespace

TEST_CASE("app: it ends with 0 when every module is done", "[app]") {
  const auto seen = run({}, [](app& program) {
    for (const std::string name : {"one", "two"}) {
      program.module(name, [](module& m) {
        m.run([&m](const std::stop_token&) {
          m.done();
          m.done();  // counts once
        });
      });
    }
  });
  CHECK(seen.exit_code == 0);
  CHECK_THAT(seen.printed, Catch::Equals(""));
}

TEST_CASE("app: a module whose start throws ends the program by name, whatever it threw", "[app]") {
  const auto with_text = run(
      {}, [](app& program) { program.module("billing", [](module&) { throw std::runtime_error("no ink\x1b[2J"); }); });
  CHECK(with_text.exit_code == 1);
  CHECK_THAT(with_text.printed, Contains("AMB-E0401") && Contains("'billing'") && Contains("no ink\\x1b"));
  const auto with_anything = run({}, [](app& program) { program.module("stock", [](module&) { throw 7; }); });
  CHECK(with_anything.exit_code == 1);
  CHECK_THAT(with_anything.printed, Contains("AMB-E0401") && Contains("'stock'"));
}

TEST_CASE("app: a feeding thread or on_ready that throws ends the program by name", "[app]") {
  const auto feed = run({}, [](app& program) {
    program.module("feed", [](module& m) { m.run([](const std::stop_token&) { throw std::runtime_error("dry"); }); });
  });
  CHECK(feed.exit_code == 1);
  CHECK_THAT(feed.printed, Contains("AMB-E0401") && Contains("'feed'") && Contains("dry"));
  const auto odd = run({}, [](app& program) {
    program.module("feed", [](module& m) { m.run([](const std::stop_token&) { throw 7; }); });
  });
  CHECK(odd.exit_code == 1);
  const auto ready = run({}, [](app& program) {
    program.module("first", [](module&) {});
    program.module("late", [](module& m) { m.on_ready([] { throw std::runtime_error("not awake"); }); });
  });
  CHECK(ready.exit_code == 1);
  CHECK_THAT(ready.printed, Contains("AMB-E0401") && Contains("'late'") && Contains("not awake"));
}

TEST_CASE("app: configuration errors end it with 2 before any module starts", "[app]") {
  const auto add = [](app& program) { program.module("feed", [](module&) { std::puts("started"); }); };
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
           {"--config", "/does/not/exist.toml"}, {"--confg", "x"}, {"--process", "nobody"}, {"up"}}) {
    const auto seen = run(arguments, add);
    INFO(seen.printed);
    CHECK(seen.exit_code == 2);
    CHECK_THAT(seen.printed, Contains("AMB-E") && !Contains("started"));
  }
}

TEST_CASE("app: arguments that are escape sequences are shown, not sent to the terminal", "[app]") {
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"--\x1b[2J"},
                                             {"\x1b[2J"},
                                             {"--config", "\x1b[2J"},
                                             {"--process", "\x1b[2J"},
                                             {"--set", "\x1b[2J"},
                                             {"explain", "route", "\x1b[2J"}}) {
    const auto seen = run(arguments, [](app& program) { program.module("feed", [](module& m) { m.done(); }); });
    INFO(seen.printed);
    CHECK(seen.exit_code == 2);
    CHECK(seen.printed.find('\x1b') == std::string::npos);
    CHECK_THAT(seen.printed, Contains("\\x1b[2J"));
  }
}

TEST_CASE("app: an answer that cannot be written is no success", "[app]") {
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"--describe"}, {"explain", "route", "a.b"}}) {
    const auto seen = run(arguments, [](app&) { ::dup2(::open("/dev/full", O_WRONLY), STDOUT_FILENO); });
    INFO(arguments.front());
    CHECK(seen.exit_code == 1);
    CHECK_THAT(seen.printed, Contains("cannot write"));
  }
}

TEST_CASE("app: two modules or transports of one name end it with 2 before any module starts", "[app]") {
  const auto modules = run({}, [](app& program) {
    for (int i = 0; i != 3; ++i) program.module("billing", [](module&) { std::puts("started"); });
    program.module("stock", [](module&) { std::puts("started"); });
  });
  CHECK(modules.exit_code == 2);
  CHECK_THAT(modules.printed,
             Contains("AMB-E0206: module 'billing' is registered twice") && !Contains("started") && !Contains("stock"));
  const auto transports = run({}, [](app& program) {
    program.transport(std::make_unique<idle_transport>());
    program.transport(std::make_unique<idle_transport>());
  });
  CHECK(transports.exit_code == 2);
  CHECK_THAT(transports.printed, Contains("AMB-E0206: transport 'idle' is registered twice"));
}

TEST_CASE("app: a module pulls from a receiver that carries its name", "[app]") {
  static constexpr topic<int> ticks{"t.ticks"};
  const auto seen = run({}, [](app& program) {
    program.module("clock", [](module& m) {
      auto in = std::make_shared<receiver<int>>(m.receiver(ticks));
      m.run([&m, in](const std::stop_token&) {
        m.bus().publish(ticks, 7);
        if (const auto next = in->next_for(std::chrono::seconds(30)))
          std::printf("%s %d\n", in->name().c_str(), **next);
        m.done();
      });
    });
  });
  CHECK(seen.exit_code == 0);
  CHECK_THAT(seen.printed, Catch::Equals("clock 7\n"));
}

TEST_CASE("app: a module state outlives the handlers that use it", "[app]") {
  struct witness {
    ~witness() { std::puts(alive == 1 ? "state ended after its handlers" : "state ended too early"); }
    int alive = 1;
  };
  struct nothing {};
  static constexpr topic<nothing> ticks{"t.ticks"};
  const auto seen = run({}, [](app& program) {
    program.module("clock", [](module& m) {
      auto& state = m.make<witness>();
      m.subscribe(ticks, [&state, &m](const nothing&) {
        state.alive = 1;
        m.done();
      });
      m.run([&m](const std::stop_token&) { m.bus().publish(ticks, {}); });
    });
  });
  CHECK(seen.exit_code == 0);
  CHECK_THAT(seen.printed, Contains("state ended after its handlers"));
}
