#include <amphibus/bus.hpp>

#include <catch2/catch.hpp>

#include <vector>

using namespace amphibus;

namespace {

struct number {
  int value;
};
constexpr topic<number> first{"t.first"};
constexpr topic<number> second{"t.second"};
constexpr topic<number> third{"t.third"};
struct parting {
  std::shared_ptr<void> last;  // its deleter runs with the message's end
};
constexpr topic<parting> partings{"t.partings"};

struct seen {
  message_id id;
  message_id correlation;
  message_id causation;
  source_id source;
  std::string topic;
};

seen look(const context& with) {
  return {with.id(), with.correlation(), with.causation(), with.source(), std::string(with.topic())};
}

}  // namespace

TEST_CASE("context: a first message begins its own conversation", "[engine]") {
  bus b;
  loop here;
  std::vector<seen> all;
  auto sub = b.subscribe(first, {.on = here}, [&](const number&, const context& with) { all.push_back(look(with)); });
  auto out = b.publisher(first);
  out.publish({1});
  out.publish({2});
  here.run_until_idle();
  REQUIRE(all.size() == 2);
  CHECK(all[0].correlation == all[0].id);
  CHECK_FALSE(all[0].causation);
  CHECK(all[0].source == all[1].source);
  CHECK(all[1].id.sequence == all[0].id.sequence + 1);
  CHECK(all[0].topic == "t.first");
  CHECK(all[0].id.source.origin != 0);
}

TEST_CASE("context: correlation and causation follow through handlers without user code", "[engine]") {
  bus b;
  loop here;
  std::vector<seen> all;
  auto one = b.subscribe(first, {.on = here}, [&](const number& n, const context& with) {
    all.push_back(look(with));
    b.publish(second, n);
  });
  auto out = b.publisher(third);
  auto two = b.subscribe(second, {.on = here}, [&](const number& n, const context& with) {
    all.push_back(look(with));
    out.publish(n);
  });
  auto three = b.subscribe(third, {.on = here}, [&](const number&, const context& with) { all.push_back(look(with)); });
  b.publish(first, {1});
  here.run_until_idle();
  REQUIRE(all.size() == 3);
  CHECK(all[1].correlation == all[0].id);
  CHECK(all[1].causation == all[0].id);
  CHECK(all[2].correlation == all[0].id);
  CHECK(all[2].causation == all[1].id);
  CHECK(all[1].source != all[0].source);
  CHECK(all[2].id != all[1].id);
}

TEST_CASE("context: what a message's destructor publishes after its handler has that message as its cause",
          "[engine]") {
  const bool batches = GENERATE(false, true);
  bus b;
  loop here;
  std::vector<message_id> parted;
  std::vector<message_id> causes;
  auto one = b.subscribe(first, {.on = here}, [&](const number& n) {
    b.publish(partings, {std::shared_ptr<void>(nullptr, [&, n](void*) { b.publish(third, n); })});
  });
  auto two = batches ? b.subscribe(partings, {.on = here},
                                   [&](batch<parting> all) {
                                     for (std::size_t i = 0; i != all.size(); ++i)
                                       parted.push_back(all.context(i).id());
                                   })
                     : b.subscribe(partings, {.on = here},
                                   [&](const parting&, const context& with) { parted.push_back(with.id()); });
  auto three =
      b.subscribe(third, {.on = here}, [&](const number&, const context& with) { causes.push_back(with.causation()); });
  b.publish(first, {1});
  here.run_until_idle();
  REQUIRE(parted.size() == 1);
  CHECK(causes == parted);
}

TEST_CASE("context: after a handler returned its thread is an ordinary publisher again", "[engine]") {
  bus b;
  loop here;
  std::vector<seen> all;
  auto one = b.subscribe(first, {.on = here}, [&](const number&, const context& with) { all.push_back(look(with)); });
  b.publish(first, {1});
  here.run_until_idle();
  b.publish(first, {2});
  here.run_until_idle();
  REQUIRE(all.size() == 2);
  CHECK_FALSE(all[1].causation);
  CHECK(all[0].source == all[1].source);
}

TEST_CASE("context: ids print", "[engine]") {
  CHECK(to_string(message_id{{0xc0ffee, 12}, 345}) == "0000000000c0ffee/12/345");
  CHECK(to_string(message_id{}) == "-");
}
