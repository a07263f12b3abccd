package darkroom.actors.device;

/**
 * The name of one image of a run, generated, scored and counted once (promise P-2).
 *
 * @param run name of the run, or of the evaluation that the image belongs to
 * @param step training step, from 0
 * @param group group within the step, from 0
 * @param slot image within the group, from 0
 */
public record ImageAddress(String run, int step, int group, int slot) {}
