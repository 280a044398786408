// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include <cuda_runtime.h>

#include <sigmax/cuda/kernels/status.cuh>
#include <sigmax/cuda/kernels/step_recorder.cuh>
#include <sigmax/cuda/kernels/step_state.cuh>
#include <sigmax/cuda/library/weight_step.hpp>

namespace sigmax::SIGMAX_CUDA_LIBRARY {

void step_state::sort_into_groups(step_weight const* weights) {
  index const elements = 16 / size_of(settings.kind);
  auto const rounded = [&](index n) { return (n + elements - 1) / elements * elements; };
  for (int i = 0; i < count; ++i) {
    auto const& w = weights[i];
    index const rows = std::min(w.rows, w.cols);
    index const cols = std::max(w.rows, w.cols);
    bool const has_direction = w.direction != nullptr;
    auto const same = [&](step_group const& g) {
      return g.rows == rows && g.cols == cols && g.has_direction == has_direction &&
             std::equal(g.starts_segment, g.starts_segment + settings.steps, w.starts_segment);
    };
    auto group = std::find_if(groups.begin(), groups.end(), same);
    if (group == groups.end()) {
      step_group fresh{};
      fresh.rows = rows;
      fresh.cols = cols;
      fresh.row = rounded(cols);
      fresh.size = rows * fresh.row;
      fresh.square_row = rounded(rows);
      fresh.square_size = rows * fresh.square_row;
      fresh.has_direction = has_direction;
      std::copy(w.starts_segment, w.starts_segment + most_steps, fresh.starts_segment);
      groups.push_back(fresh);
      group = groups.end() - 1;
    }
    group->members.push_back({w.weight, w.direction, w.weight_stride, w.direction_stride, i, w.weight_kind,
                              w.direction_kind, w.rows > w.cols});
  }
}

void step_state::list_inspected(step_weight const* weights) {
  auto const list = [&](int weight, void const* data, element_kind kind, index stride) {
    auto const& w = weights[weight];
    index const at_once = std::max<index>(1, inspected_elements / w.cols);
    index const element = kind == element_kind::f32 ? 4 : 2;
    for (index row = 0; row < w.rows; row += at_once) {
      bool const contiguous =
          stride == w.cols && (row * stride * element) % 16 == 0 && reinterpret_cast<std::uintptr_t>(data) % 16 == 0;
      inspected.push_back(
          {data, w.cols, stride, row, static_cast<int>(std::min(at_once, w.rows - row)), weight, kind, contiguous});
    }
  };
  for (int i = 0; i < count; ++i) {
    auto const& w = weights[i];
    first_part.push_back(static_cast<int>(inspected.size()));
    if (w.direction != nullptr) list(i, w.direction, w.direction_kind, w.direction_stride);
    target.push_back(0.5f * std::sqrt(static_cast<float>(std::min(w.rows, w.cols))));
  }
  first_part.push_back(static_cast<int>(inspected.size()));
  for (int i = 0; i < count; ++i) list(i, weights[i].weight, weights[i].weight_kind, weights[i].weight_stride);
}

void step_state::place(arena& from) {
  auto const parts = static_cast<index>(inspected.size());
  at.numbers = from.take<step_numbers>(count);
  at.flags = from.take<step_flags>(1);
  at.inspected = from.take<inspected_rows>(parts);
  at.sums = from.take<double>(parts);
  at.first_part = from.take<int>(count + 1);
  at.target = from.take<float>(count);
  at.scale = from.take<float>(count);
  index operand = 0;
  index square = 0;
  index most = 0;
  for (auto& group : groups) {
    operand = std::max(operand, group.count() * group.size);
    square = std::max(square, group.count() * group.square_size);
    most = std::max<index>(most, group.count());
    group.on_device = from.take<group_member>(group.count());
  }
  for (auto& place : at.operands) place = from.take<unsigned char>(operand * size_of(settings.kind));
  for (auto& place : at.squares) place = from.take<unsigned char>(square * size_of(settings.kind));
  at.parts = from.take<moments>(most * moment_parts);
  at.firsts = from.take<first_step>(most);
  at.square_factors = from.take<coefficients>(most);
  at.conjugates = from.take<coefficients>(most);
  at.lasts = from.take<coefficients>(most);
  at.combinations = from.take<float4>(most);
  at.cap_products = from.take<coefficients>(most);
  at.split = split_bytes == 0 ? nullptr : from.take<float>(static_cast<index>(split_bytes / sizeof(float)));
  at.workspace = from.take<unsigned char>(static_cast<index>(product_workspace_bytes));
}

void step_state::upload() {
  auto const copy = [](void* to, void const* from, std::size_t size) {
    must(cudaMemcpy(to, from, size, cudaMemcpyHostToDevice), "cudaMemcpy");
  };
  copy(at.inspected, inspected.data(), inspected.size() * sizeof(inspected_rows));
  copy(at.first_part, first_part.data(), first_part.size() * sizeof(int));
  copy(at.target, target.data(), target.size() * sizeof(float));
  std::vector<step_numbers> const numbers(static_cast<std::size_t>(count));
  copy(at.numbers, numbers.data(), numbers.size() * sizeof(step_numbers));
  step_flags const flags{no_weight, no_weight};
  copy(at.flags, &flags, sizeof(flags));
  for (auto const& group : groups) {
    copy(const_cast<group_member*>(group.on_device), group.members.data(), group.members.size() * sizeof(group_member));
  }
}

template <operand_kind Kind>
void step_state::record(cudaStream_t on) {
  begin_step<<<1, 1, 0, on>>>(at.flags);
  inspect<<<grid_of(static_cast<index>(inspected.size())), 256, 0, on>>>(at.inspected, at.sums, at.flags);
  scale_directions<<<grid_of(count), 256, 0, on>>>(at.sums, at.first_part, at.target, at.scale, at.flags);
  started("scale_directions");
  for (auto const& group : groups) group_recorder<Kind>(*this, group, on).record();
}

void step_state::make_graph() {
  struct owned {
    cudaStream_t stream = nullptr;
    cudaGraph_t graph = nullptr;
    ~owned() {
      if (graph != nullptr) cudaGraphDestroy(graph);
      if (stream != nullptr) cudaStreamDestroy(stream);
    }
  } own;
  must(cudaStreamCreateWithFlags(&own.stream, cudaStreamNonBlocking), "cudaStreamCreate");
  must(cudaStreamBeginCapture(own.stream, cudaStreamCaptureModeRelaxed), "cudaStreamBeginCapture");
  try {
    switch (settings.kind) {
      case operand_kind::bf16:
        record<operand_kind::bf16>(own.stream);
        break;
      case operand_kind::f16:
        record<operand_kind::f16>(own.stream);
        break;
      default:
        record<operand_kind::tf32>(own.stream);
    }
  } catch (...) {
    (void)cudaStreamEndCapture(own.stream, &own.graph);
    throw;
  }
  must(cudaStreamEndCapture(own.stream, &own.graph), "cudaStreamEndCapture");
  must(cudaGraphInstantiate(&ready, own.graph, 0), "cudaGraphInstantiate");
}

status create_step_state(step_weight const* weights, int count, step_settings const& settings, step_state** made) {
  return guarded([&] {
    auto state = std::make_unique<step_state>();
    state->settings = settings;
    state->count = count;
    state->sort_into_groups(weights);
    state->list_inspected(weights);
    for (auto const& group : state->groups) {
      std::size_t needed = 0;
      must(symmetric_scratch_bytes(settings.kind, group.rows, group.cols, group.count(), &needed));
      state->split_bytes = std::max(state->split_bytes, needed);
    }
    arena measure(nullptr);
    state->place(measure);
    state->bytes = measure.used();
    must(cudaMalloc(&state->memory, state->bytes), "cudaMalloc");
    arena real(state->memory);
    state->place(real);
    state->upload();
    must(create_product_state(state->at.workspace, product_workspace_bytes, &state->products));
    state->make_graph();
    *made = state.release();
  });
}

void destroy_step_state(step_state* gone) { delete gone; }

status put_step_numbers(step_state* state, stream on, step_numbers const* numbers) {
  return guarded([&] {
    must(cudaMemcpyAsync(state->at.numbers, numbers, static_cast<std::size_t>(state->count) * sizeof(step_numbers),
                         cudaMemcpyHostToDevice, on),
         "cudaMemcpyAsync");
  });
}

status launch_step(step_state* state, stream on) {
  return guarded([&] { must(cudaGraphLaunch(state->ready, on), "cudaGraphLaunch"); });
}

status check_step(step_state* state, stream on, int* bad) {
  return guarded([&] {
    step_flags flags{};
    must(cudaMemcpyAsync(&flags, state->at.flags, sizeof(flags), cudaMemcpyDeviceToHost, on), "cudaMemcpyAsync");
    must(cudaStreamSynchronize(on), "cudaStreamSynchronize");
    *bad = flags.reported == no_weight ? -1 : flags.reported;
    if (*bad < 0) return;
    step_flags const clear{no_weight, no_weight};
    must(cudaMemcpyAsync(state->at.flags, &clear, sizeof(clear), cudaMemcpyHostToDevice, on), "cudaMemcpyAsync");
    must(cudaStreamSynchronize(on), "cudaStreamSynchronize");
  });
}

std::size_t step_memory_bytes(step_state const* state) { return state->bytes; }

}  // namespace sigmax::SIGMAX_CUDA_LIBRARY
