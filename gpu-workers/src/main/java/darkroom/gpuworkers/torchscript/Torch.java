package darkroom.gpuworkers.torchscript;

import ai.djl.engine.Engine;
import ai.djl.pytorch.jni.JniUtils;

/**
 * The PyTorch engine of this process, started once, offline, and configured so that results repeat bit for bit: one intra-op
 * thread per worker thread and no graph optimizer (its rewrites change bfloat16 gradients).
 */
public final class Torch {
    private static final Object LOCK = new Object();
    private static boolean started;

    private Torch() {}

    /** Loads the engine if necessary. Opens no connection. Takes about 0.4 s, and 3 s on the very first start. */
    static void start() {
        synchronized (LOCK) {
            if (started) {
                return;
            }
            offline();
            System.setProperty("ai.djl.pytorch.num_threads", "1");
            System.setProperty("ai.djl.pytorch.num_interop_threads", "1");
            Engine.getEngine("PyTorch");
            started = true;
        }
    }

    /** Forbids DJL to open connections; before its first use. */
    public static void offline() {
        System.setProperty("ai.djl.offline", "true");
        System.setProperty("OPT_OUT_TRACKING", "true");
    }

    /**
     * Prepares the calling thread. Grad mode, thread count and graph optimizer are thread-local, so every thread that
     * touches a tensor calls this first.
     */
    public static void enterThread() {
        start();
        JniUtils.setNumThreads(1);
        JniUtils.setGraphExecutorOptimize(false);
        JniUtils.setGradMode(false);
    }
}
