// SPDX-License-Identifier: MIT
// symmetric_eigen, by cuSOLVER's divide and conquer.
#include <new>
#include <vector>

#include <cuda_runtime_api.h>
#include <cusolverDn.h>

#include <sigmax/cuda/library/factorizations.hpp>

namespace sigmax::SIGMAX_CUDA_LIBRARY {

struct eigen_solver {
  stream on = nullptr;
  cusolverDnHandle_t handle = nullptr;
  cusolverDnParams_t parameters = nullptr;
  std::vector<std::byte> host_memory;
};

namespace {

status solver_status(cusolverStatus_t code, char const* call) {
  if (code == CUSOLVER_STATUS_SUCCESS) return {};
  return {origin::cusolver, static_cast<int>(code), call};
}

status runtime_status(cudaError_t code, char const* call) {
  if (code == cudaSuccess) return {};
  (void)cudaGetLastError();
  return {origin::runtime, static_cast<int>(code), call};
}

/// Device memory for one call.
class temporary_memory {
 public:
  explicit temporary_memory(stream on) : on_(on) {}
  temporary_memory(temporary_memory const&) = delete;
  temporary_memory& operator=(temporary_memory const&) = delete;
  ~temporary_memory() {
    if (owned_ != nullptr) (void)cudaFreeAsync(owned_, on_);
  }
  status take(scratch_source source, std::size_t bytes, void** memory) {
    if (source.take != nullptr) {
      *memory = source.take(source.context, bytes);
      return {};
    }
    auto const failed = runtime_status(cudaMallocAsync(&owned_, bytes, on_), "cudaMallocAsync");
    *memory = owned_;
    return failed;
  }

 private:
  stream on_;
  void* owned_ = nullptr;
};

template <class T>
constexpr cudaDataType data_type = sizeof(T) == 4 ? CUDA_R_32F : CUDA_R_64F;

}  // namespace

status create_eigen_solver(stream on, eigen_solver** made) {
  *made = nullptr;
  auto* const solver = new eigen_solver;
  solver->on = on;
  auto failed = solver_status(cusolverDnCreate(&solver->handle), "cusolverDnCreate");
  if (!failed.failed()) failed = solver_status(cusolverDnSetStream(solver->handle, on), "cusolverDnSetStream");
  if (!failed.failed()) {
    failed = solver_status(cusolverDnSetDeterministicMode(solver->handle, CUSOLVER_DETERMINISTIC_RESULTS),
                           "cusolverDnSetDeterministicMode");
  }
  if (!failed.failed()) failed = solver_status(cusolverDnCreateParams(&solver->parameters), "cusolverDnCreateParams");
  if (failed.failed()) {
    destroy_eigen_solver(solver);
    return failed;
  }
  *made = solver;
  return {};
}

void destroy_eigen_solver(eigen_solver* gone) {
  if (gone == nullptr) return;
  if (gone->parameters != nullptr) (void)cusolverDnDestroyParams(gone->parameters);
  if (gone->handle != nullptr) (void)cusolverDnDestroy(gone->handle);
  delete gone;
}

template <class T>
status symmetric_eigen(eigen_solver* solver, scratch_source scratch, index n, T* a, T* values) {
  if (n == 0) return {};
  auto const order = static_cast<int64_t>(n);
  std::size_t on_device = 0;
  std::size_t on_host = 0;
  auto failed = solver_status(cusolverDnXsyevd_bufferSize(solver->handle, solver->parameters, CUSOLVER_EIG_MODE_VECTOR,
                                                          CUBLAS_FILL_MODE_LOWER, order, data_type<T>, a, order,
                                                          data_type<T>, values, data_type<T>, &on_device, &on_host),
                              "cusolverDnXsyevd_bufferSize");
  if (failed.failed()) return failed;
  if (solver->host_memory.size() < on_host) solver->host_memory.resize(on_host);
  // The integer of the result lies behind the workspace.
  std::size_t const before = (on_device + 255) / 256 * 256;
  temporary_memory memory(solver->on);
  void* work = nullptr;
  failed = memory.take(scratch, before + sizeof(int), &work);
  if (failed.failed()) return failed;
  auto* const outcome = reinterpret_cast<int*>(static_cast<std::byte*>(work) + before);
  failed = solver_status(cusolverDnXsyevd(solver->handle, solver->parameters, CUSOLVER_EIG_MODE_VECTOR,
                                          CUBLAS_FILL_MODE_LOWER, order, data_type<T>, a, order, data_type<T>, values,
                                          data_type<T>, work, on_device, solver->host_memory.data(), on_host, outcome),
                         "cusolverDnXsyevd");
  if (failed.failed()) return failed;
  int found = 0;
  failed = runtime_status(cudaMemcpyAsync(&found, outcome, sizeof found, cudaMemcpyDeviceToHost, solver->on),
                          "cusolverDnXsyevd");
  if (!failed.failed()) failed = runtime_status(cudaStreamSynchronize(solver->on), "cusolverDnXsyevd");
  if (!failed.failed() && found != 0) return {origin::sigmax, eigenvalues_did_not_converge, "cusolverDnXsyevd"};
  return failed;
}

template status symmetric_eigen<float>(eigen_solver*, scratch_source, index, float*, float*);
template status symmetric_eigen<double>(eigen_solver*, scratch_source, index, double*, double*);

}  // namespace sigmax::SIGMAX_CUDA_LIBRARY
