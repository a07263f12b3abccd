package darkroom.actors.events;

import darkroom.actors.device.PolicyVersion;
import darkroom.actors.statistics.PromptBan;
import darkroom.tensors.TensorRef;

/**
 * The weights and prompt ban used for the rollouts of the steps that name this version.
 *
 * @param weights of the rollout policy
 * @param ban rows that are not generated from
 */
public record PolicyRelease(PolicyVersion version, TensorRef weights, PromptBan ban) {}
