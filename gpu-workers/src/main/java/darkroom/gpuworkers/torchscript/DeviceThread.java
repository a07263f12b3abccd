package darkroom.gpuworkers.torchscript;

import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** The single thread of a device: all accesses to its tensors run here, one after the other. */
public final class DeviceThread implements AutoCloseable {
    private final ExecutorService thread;

    public DeviceThread(String name) {
        thread = Executors.newSingleThreadExecutor(
                Thread.ofPlatform().name(name).daemon().factory());
        thread.execute(Torch::enterThread);
    }

    /** Runs {@code work} after all work submitted before. */
    public <R> CompletionStage<R> run(Callable<R> work) {
        return CompletableFuture.supplyAsync(
                () -> {
                    try {
                        return work.call();
                    } catch (RuntimeException e) {
                        throw e;
                    } catch (Exception e) {
                        throw new CompletionException(e);
                    }
                },
                thread);
    }

    /** Closes {@code resource} on the thread, after the current work, and then ends the thread. */
    public void closeAfter(AutoCloseable resource) {
        run(() -> {
                    resource.close();
                    return "closed";
                })
                .whenComplete((_, _) -> close());
    }

    @Override
    public void close() {
        thread.shutdown();
    }
}
