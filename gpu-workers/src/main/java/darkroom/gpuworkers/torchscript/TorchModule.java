package darkroom.gpuworkers.torchscript;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.IValueUtils;
import ai.djl.pytorch.jni.JniUtils;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.HashMap;
import java.util.Map;

/**
 * A loaded TorchScript module whose methods are pure functions of their inputs.
 *
 * <p>Thread-confined: created, called and closed on one thread that has called {@link Torch#enterThread()}.
 */
public final class TorchModule implements AutoCloseable {
    private final NDManager manager;
    private final PtSymbolBlock block;
    private final Map<String, NDArray> methods = new HashMap<>();

    /** @param functions TorchScript source without comments, as {@link TorchScriptSource#text} returns it */
    public TorchModule(String functions) {
        manager = NDManager.newBaseManager(ai.djl.Device.cpu(), "PyTorch");
        try {
            block = JniUtils.loadModule(
                    (PtNDManager) manager, new ByteArrayInputStream(TorchScriptArchive.of(functions)), false, false);
        } catch (IOException e) {
            manager.close();
            throw new UncheckedIOException("loading a module from memory", e);
        }
    }

    /** Returns a scope that frees its arrays when closed. */
    public NDManager scope() {
        return manager.newSubManager();
    }

    /** Calls {@code method} without recording gradients; the results belong to {@code scope}. */
    public NDList call(NDManager scope, String method, NDArray... inputs) {
        return run(scope, method, false, inputs);
    }

    /** Calls {@code method}, which differentiates inside; the results belong to {@code scope}. */
    public NDList differentiate(NDManager scope, String method, NDArray... inputs) {
        return run(scope, method, true, inputs);
    }

    /**
     * Calls {@code method} without recording gradients; the results belong to {@code scope}.
     *
     * @param inputs positional arguments. Arrays named {@code x[]} are together one argument of type {@code List[Tensor]},
     *     arrays named {@code x.KEY} one of type {@code Dict[str, Tensor]}, at the place of the first of them
     */
    public NDList call(NDManager scope, String method, NDList inputs) {
        return run(scope, method, false, inputs.toArray(NDArray[]::new));
    }

    /** Calls {@code method}, which differentiates inside; inputs and results as in {@link #call(NDManager, String, NDList)}. */
    public NDList differentiate(NDManager scope, String method, NDList inputs) {
        return run(scope, method, true, inputs.toArray(NDArray[]::new));
    }

    private NDList run(NDManager scope, String method, boolean gradients, NDArray... inputs) {
        NDArray marker = methods.computeIfAbsent(method, this::marker);
        NDList all = new NDList(inputs.length + 1);
        all.add(marker);
        for (NDArray input : inputs) {
            all.add(input);
        }
        JniUtils.setGradMode(gradients);
        try {
            // "Training" here means outside C10's inference mode, whose results may never enter autograd.
            NDList results = IValueUtils.forward(block, all, true);
            results.attach(scope);
            return results;
        } finally {
            JniUtils.setGradMode(false);
        }
    }

    private NDArray marker(String method) {
        NDArray marker = manager.create(0f);
        marker.setName("module_method:" + method);
        return marker;
    }

    /** Returns the number of arrays that live as long as the module: markers of methods, and leaks. */
    public int arraysHeld() {
        return manager.getManagedArrays().size();
    }

    @Override
    public void close() {
        block.close();
        manager.close();
    }
}
