// What bytes from outside can do to a flat.
#include <amphibus/wire/flat.hpp>

#include <drawing_amphibus.h>
#include <sample_amphibus.h>

#include <catch2/catch.hpp>

#include <cstring>
#include <string>
#include <vector>

using amphibus::codec;
using amphibus::flat;
using flatbuffers::FlatBufferBuilder;
using sample::Drawing;
using sample::Node;
using sample::Order;
using sample::OrderT;

namespace {

/// A frame of a transport: 64-aligned, with what is in it from `offset` on.
class frame final : public amphibus::wire::shared_buffer {
 public:
  explicit frame(std::span<const std::byte> content, std::size_t offset = 0) : size_(content.size()), offset_(offset) {
    std::memcpy(room_ + offset, content.data(), content.size());
  }
  [[nodiscard]] std::span<const std::byte> bytes() const { return {room_ + offset_, size_}; }
  bool recycled = false;

 private:
  void recycle() noexcept override { recycled = true; }
  alignas(64) std::byte room_[4'096];
  std::size_t size_;
  std::size_t offset_;
};

flat<Order> nested(int depth) {
  return flat<Order>::build([&](FlatBufferBuilder& b) {
    flatbuffers::Offset<Order> inner = sample::CreateOrder(b, 1);
    for (int i = 1; i != depth; ++i) inner = sample::CreateOrder(b, 1, 0, 0, inner);
    return inner;
  });
}

flat<Drawing> drawing_of(sample::Colour colour, sample::Shape shape) {
  return flat<Drawing>::build([&](FlatBufferBuilder& b) {
    const auto title = b.CreateString("title");
    const auto circle = sample::CreateCircle(b, 2.5);
    const std::vector<sample::Point> points(2, sample::Point(1, 2));
    const auto all = b.CreateVectorOfStructs(points);
    return sample::CreateDrawing(b, 1, colour, shape, circle.Union(), title, all);
  });
}

std::vector<std::byte> copy_of(std::span<const std::byte> bytes) { return {bytes.begin(), bytes.end()}; }

}  // namespace

TEST_CASE("flat: bytes in a frame are read where they are, and hold the frame", "[wire]") {
  const auto sent = nested(2);
  frame came(sent.bytes());
  flat<Order> got;
  REQUIRE(amphibus::wire::codec_operations_of<flat<Order>>.decode_received(came.bytes(), &came, &got));
  CHECK(got.bytes().data() == came.bytes().data());
  CHECK_FALSE(came.is_unique());
  const flat<Order> copy = got;
  got = {};
  CHECK(copy->parent()->id() == 1);
  CHECK_FALSE(came.is_unique());
}

TEST_CASE("flat: the frame is free again with the last message in it", "[wire]") {
  const auto sent = nested(1);
  frame came(sent.bytes());
  {
    flat<Order> one;
    flat<Order> two;
    REQUIRE(codec<flat<Order>>::decode(came.bytes(), came, one));
    REQUIRE(codec<flat<Order>>::decode(came.bytes(), came, two));
    came.drop_reference();  // the transport goes on
    one = {};
    CHECK_FALSE(came.recycled);
  }
  CHECK(came.recycled);
}

TEST_CASE("flat: bytes that nobody owns are copied", "[wire]") {
  const auto sent = nested(1);
  flat<Order> got;
  {
    const auto bytes = copy_of(sent.bytes());
    REQUIRE(amphibus::wire::codec_operations_of<flat<Order>>.decode_received(bytes, nullptr, &got));
    CHECK(got.bytes().data() != bytes.data());
  }
  CHECK(got->id() == 1);
}

TEST_CASE("flat: what the schema aligns to 16 is copied where the frame does not", "[wire]") {
  const auto sent = drawing_of(sample::Colour::Green, sample::Shape::Circle);
  for (const std::size_t offset : {0U, 8U, 16U, 24U}) {
    frame came(sent.bytes(), offset);
    flat<Drawing> got;
    REQUIRE(codec<flat<Drawing>>::decode(came.bytes(), came, got));
    CHECK((got.bytes().data() == came.bytes().data()) == (offset % 16 == 0));
    CHECK(came.is_unique() == (offset % 16 != 0));
    CHECK(reinterpret_cast<std::uintptr_t>(got->points()->Get(0)) % 16 == 0);
    CHECK(got->points()->Get(1)->y() == 2);
  }
}

TEST_CASE("flat: a message of the object API is read as a flat, and the other way round", "[wire]") {
  CHECK(codec<flat<Order>>::type_name == codec<OrderT>::type_name);
  CHECK(codec<flat<Order>>::major == codec<OrderT>::major);
  CHECK(codec<flat<Order>>::schema_hash == codec<OrderT>::schema_hash);
  OrderT native;
  native.id = 7;
  native.customer = "ann";
  amphibus::wire::byte_writer out;
  REQUIRE(codec<OrderT>::encode(native, out));
  flat<Order> read;
  REQUIRE(codec<flat<Order>>::decode(out.bytes(), read));
  CHECK(read->customer()->str() == "ann");
  amphibus::wire::byte_writer back;
  REQUIRE(codec<flat<Order>>::encode(read, back));
  CHECK(copy_of(back.bytes()) == copy_of(read.bytes()));
  OrderT unpacked;
  REQUIRE(codec<OrderT>::decode(back.bytes(), unpacked));
  CHECK(unpacked.id == 7);
}

TEST_CASE("flat: numbers that the schema does not know come through as numbers", "[wire]") {
  const auto sent = drawing_of(static_cast<sample::Colour>(77), static_cast<sample::Shape>(99));
  frame came(sent.bytes());
  flat<Drawing> got;
  REQUIRE(codec<flat<Drawing>>::decode(came.bytes(), came, got));
  CHECK(static_cast<int>(got->colour()) == 77);
  CHECK(static_cast<int>(got->shape_type()) == 99);
  CHECK(got->shape_as_Circle() == nullptr);
  CHECK(got->title()->str() == "title");
}

TEST_CASE("flat: from_bytes copies what verifies", "[wire]") {
  const auto sent = nested(3);
  auto bytes = copy_of(sent.bytes());
  const auto got = flat<Order>::from_bytes(bytes);
  REQUIRE(got);
  bytes.assign(bytes.size(), std::byte{0xff});
  CHECK((*got)->parent()->parent()->id() == 1);
}

TEST_CASE("flat: bytes cut anywhere are refused or harmless, and a refused frame is not held", "[wire]") {
  const auto sent = drawing_of(sample::Colour::Green, sample::Shape::Circle);
  std::size_t refused = 0;
  for (std::size_t size = 0; size != sent.bytes().size(); ++size) {
    frame came(sent.bytes().first(size));
    flat<Drawing> got;
    if (codec<flat<Drawing>>::decode(came.bytes(), came, got)) continue;
    ++refused;
    CHECK(came.is_unique());
    CHECK(got->id() == 0);
    CHECK_FALSE(flat<Drawing>::from_bytes(copy_of(came.bytes())));
  }
  CHECK(refused > sent.bytes().size() / 2);
}

TEST_CASE("flat: a required field that is missing is refused", "[wire]") {
  const auto refused = flat<Drawing>::from_bytes(flat<Drawing>{}.bytes());
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == amphibus::error_code::bad_bytes);
  CHECK_THAT(refused.error().text(),
             Catch::Contains("12 bytes are no sample.Drawing") && Catch::Contains("a required field is missing"));
}

TEST_CASE("flat: tables may be nested 32 deep, and no deeper", "[wire]") {
  CHECK(flat<Order>::from_bytes(nested(31).bytes()));
  CHECK(flat<Order>::from_bytes(nested(32).bytes()));
  const auto refused = flat<Order>::from_bytes(nested(33).bytes());
  REQUIRE_FALSE(refused);
  CHECK_THAT(refused.error().text(), Catch::Contains("nested deeper than 32"));
}

TEST_CASE("flat: tables that are reached again and again are refused beyond one per 4 bytes", "[wire]") {
  const auto tree = [](std::size_t width) {
    return flat<Node>::build([&](FlatBufferBuilder& b) {
      flatbuffers::Offset<Node> node = sample::CreateNode(b);
      for (int level = 0; level != 2; ++level) {
        const std::vector<flatbuffers::Offset<Node>> children(width, node);
        const auto all = b.CreateVector(children);
        node = sample::CreateNode(b, all);
      }
      return node;
    });
  };
  // `width` children with as many each: 1 + width + width^2 tables.
  const auto allowed = [&](std::size_t width) {
    return 1 + width + width * width <= tree(width).bytes().size() / 4 + 16;
  };
  std::size_t width = 1;
  while (allowed(width + 1)) ++width;
  CHECK(flat<Node>::from_bytes(tree(width).bytes()));
  const auto refused = flat<Node>::from_bytes(tree(width + 1).bytes());
  REQUIRE_FALSE(refused);
  CHECK_THAT(refused.error().text(), Catch::Contains("tables are reached"));
}
