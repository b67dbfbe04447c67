// fuzz_seeds FOLDER: writes the inputs that the fuzzers start from, FOLDER/TARGET/seed-N.bin, with the real encoders.
#include <rich_amphibus.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include <amphibus/wire/frame.hpp>

#include "control.hpp"
#include "fuzz.hpp"

using namespace amphibus;

namespace {

class corpus {
 public:
  explicit corpus(std::filesystem::path folder) : folder_(std::move(folder)) {
    std::filesystem::create_directories(folder_);
  }
  void add(std::span<const std::byte> bytes) {
    std::ofstream out(folder_ / ("seed-" + std::to_string(++count_) + ".bin"), std::ios::binary);
    out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  }
  void add(std::string_view text) { add(std::as_bytes(std::span(text))); }

 private:
  std::filesystem::path folder_;
  int count_ = 0;
};

bool encode_text(const void* value, wire::byte_writer& out) {
  const auto& text = *static_cast<const std::string_view*>(value);
  return out.append(text.data(), text.size()), true;
}
bool decode_nothing(std::span<const std::byte>, void*) { return true; }
constexpr wire::codec_operations text_codec{"text", 1, 1, &encode_text, &decode_nothing};

std::vector<std::byte> attributes() {
  wire::byte_writer out;
  if (!wire::attributes_view::append("customer", {{"tenant", "acme"}, {"empty", ""}, {"trace", "00-1"}}, out))
    return {};
  return {out.bytes().begin(), out.bytes().end()};
}

void write_frames(corpus to) {
  const message_id one{{11, 2}, 3};
  const message_id two{{11, 2}, 4};
  const message_id other{{12, 4}, 5};
  const auto beside = attributes();
  wire::envelope rich = wire::first_envelope(other);
  rich.attributes = wire::attributes_view(beside);
  const std::vector<wire::envelope> all{
      wire::first_envelope(one), wire::first_envelope(two), {other, one, one, 0, {}}, rich};
  wire::batch_writer batch;
  for (std::size_t most = 0; most <= all.size(); ++most) {
    batch.begin({wire::batch_kind::messages, 11, 40, 7});
    for (std::size_t i = 0; i != most; ++i) {
      const std::string_view text = std::string_view("a payload").substr(i);
      static_cast<void>(batch.add(all[i], text_codec, &text, 100));
    }
    to.add(batch.finish());
  }
  for (const auto kind : {wire::batch_kind::sync, wire::batch_kind::goodbye}) {
    batch.begin({kind, 11, 0, 0});
    batch.add_raw(std::as_bytes(std::span(std::string_view("\x03\0a.b\x05\0\0\0\0\0\0\0", 13))));
    to.add(batch.finish());
  }
}

void write_attributes(corpus to) {
  to.add(attributes());
  wire::byte_writer out;
  if (wire::attributes_view::append("", {}, out)) to.add(out.bytes());
}

void write_control(corpus to) {
  using namespace zeromq;
  hello greeting;
  greeting.process = "front";
  greeting.routes_digest = 77;
  greeting.data_endpoints = {"tcp://127.0.0.1:20001", "ipc:///tmp/a.r1"};
  greeting.revision = 3;
  greeting.topics = {{"shop.a", 0, "shop.order", 1, 5, true}, {"shop.b", 1, "shop.order", 2, 6, false}};
  greeting.patterns = {{">", "", 0}, {"shop.*", "shop.order", 1}};
  greeting.groups = {{"shop.a", "packers"}};
  hello future;
  future.protocol_min = 7;
  future.protocol_max = 9;
  for (const control_body& body :
       {control_body{greeting}, control_body{future},
        control_body{update{9, greeting.topics, greeting.patterns, greeting.groups}}, control_body{ready{}},
        control_body{ping{}}, control_body{bye{}}, control_body{bye_ok{}}, control_body{reject{305, "other routes"}}}) {
    to.add(encode({42, body}));
  }
}

void write_topics(corpus to) {
  for (const char* const each : {"shop.orders.placed\nshop.orders.placed", "shop.*.placed\nshop.orders.placed",
                                 "shop.>\nshop", ">\na", "*.*\na.b", "a..b\n.a", "a.>.b\na.", "*a\na*",
                                 "1.2.3.4.5.6.7.8.9.10.11.12.13.14.15.16\n1.2.3.4", "\n", "a b\n\x1b[1m"}) {
    to.add(each);
  }
  to.add(std::string(200, 'a') + "\n" + std::string(201, 'a'));
}

void write_flatbuffers(corpus to) {
  rich::EverythingT all;
  const auto add = [&] {
    wire::byte_writer out;
    if (codec<rich::EverythingT>::encode(all, out)) to.add(out.bytes());
  };
  all.title = "t";
  add();
  all.id = 7;
  all.maybe = 3;
  all.points = {rich::Point{1, 2, 3}, rich::Point{4, 5, 6}};
  all.bytes = {1, 2, 3};
  all.words = {"one", "two"};
  all.doubles = {1.5, 2.5};
  all.path = std::make_unique<rich::Path>();
  add();
  all.branch = std::make_unique<rich::BranchT>();
  all.branch->below.push_back(std::make_unique<rich::BranchT>());
  all.branch->leaves.push_back(std::make_unique<rich::LeafT>());
  all.branch->leaves[0]->colours = {rich::Colour::red, rich::Colour::blue};
  add();
  rich::LeafT leaf;
  leaf.name = "leaf";
  all.part.Set(leaf);
  for (int i = 0; i != 3; ++i) all.holders.push_back(std::make_unique<rich::HolderT>());
  all.holders[0]->part.Set(leaf);
  all.holders[1]->part.type = rich::Part::Text;
  all.holders[1]->part.value = new std::string("text");  // owned by the union, as its generated code has it
  all.holders[2]->part.Set(rich::Point{1, 2, 3});
  add();
}

void write_config(corpus to) {
  const std::string file =
      "# a shop\n[process.front]\nmodules = [\"orders\"]\nendpoint = \"tcp://127.0.0.1:7701\"\n"
      "[process.back]\nmodules = [\"billing\"]\nendpoint = \"ipc:///tmp/back\"\nadvertise = \"ipc:///tmp/back\"\n"
      "[[route]]\ntopic = \"shop.>\"\ntransport = \"zeromq\"\nlevel = \"best_effort\"\noverflow = \"block\"\n"
      "block_timeout = \"5s\"\n[limits]\nmessage_size_max_bytes = 65536\npeer_stall_max = \"500ms\"\n";
  using std::string_literals::operator""s;
  to.add(file);
  to.add(file + "\0limits.ready_deadline=2s\nroute.0.overflow=drop_newest\0AMPHIBUS_LIMITS__CLOSE_DEADLINE=1s"s);
  for (const char* const each :
       {"", "[[[", "x = [[1, 2], {a = 'b'}]", "[limits]\nmemory_max_bytes = nan", "a.b.c.d.e.f.g.h.i = 1",
        "[process.\"\\u001b\"]\n", "x = \"\"\"\na\"\"\"", "route = 1979-05-27"}) {
    to.add(each);
  }
}

void write_command_lines(corpus to) {
  for (const char* const each :
       {"--config\nshop.toml\n--process\nfront", "up\n--config\nshop.toml\n--set\nlimits.ready_deadline=2s",
        "--describe", "explain\nroute\nshop.orders", "--seed\nabc", "", "--\nits\nown", "--process=front\n--nonsense",
        "up\nup", "--set"}) {
    to.add(each);
  }
}

void write_links(corpus to) {
  // on_connected, then a hello that fits, and what may come after it.
  to.add(std::string_view("\0\1\0\1\x08\xc0\1\2\x48\xc0\1\1\1\x08\xc1\1\1\x40\1", 19));
  to.add(std::string_view("\1\1\0\1\x08\xc0\1\0\1\3\0\1\1\x10\1\x08\xc1\x01\x08\xc2", 20));
  to.add(std::string_view("\0\1\x08\xc0\1\3\x40\x81\xc2\2\1\x03\0\1\1\x0f\0\1\1\4\1\1\x14\1\5\1\6\1\7\1\x08\xc4", 31));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return std::fprintf(stderr, "usage: fuzz_seeds FOLDER\n"), 2;
  const std::filesystem::path folder = argv[1];
  write_frames(corpus(folder / "frame"));
  write_attributes(corpus(folder / "attributes"));
  write_control(corpus(folder / "control"));
  write_topics(corpus(folder / "topic"));
  write_flatbuffers(corpus(folder / "flatbuffers"));
  write_config(corpus(folder / "config"));
  write_command_lines(corpus(folder / "command_line"));
  write_links(corpus(folder / "link"));
  return 0;
}
